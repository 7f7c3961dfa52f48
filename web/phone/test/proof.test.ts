// What the phone signs, held to RFC 9449 and to the contract by another implementation of the same signature.

import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { test } from 'node:test';

import { bytesOf, contentDigest } from '../src/server/encoding.js';
import { answerForm } from '../src/server/form.js';
import { generate, prove, works, type PublicKey } from '../src/server/proof.js';

const parts = (proof: string): Record<string, unknown>[] =>
  proof.split('.').slice(0, 2).map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>);

function isSignedBy(proof: string, jwk: PublicKey): boolean {
  const at = proof.lastIndexOf('.');
  const key = crypto.createPublicKey({ key: { ...jwk }, format: 'jwk' });
  const signature = Buffer.from(proof.slice(at + 1), 'base64url');
  return crypto.verify('sha256', Buffer.from(proof.slice(0, at)), { key, dsaEncoding: 'ieee-p1363' }, signature);
}

test('a proof names the call, the token and the body, and its key has signed it', async () => {
  const signer = await generate();
  const digest = await contentDigest(bytesOf('{}'));
  const proof = await prove(signer, { method: 'POST', url: 'https://a.example/x?wait=25', token: 'dt_ä', digest, at: 1_700_000_000_999 });
  const [header, claims] = parts(proof);
  assert.deepEqual(header, { typ: 'dpop+jwt', alg: 'ES256', jwk: signer.publicKey });
  const { jti, ...rest } = claims!;
  assert.deepEqual(rest, {
    htm: 'POST', htu: 'https://a.example/x', iat: 1_700_000_000,
    ath: crypto.createHash('sha256').update('dt_ä').digest('base64url'), digest,
  });
  assert.ok(String(jti).length >= 20);
  assert.equal(digest, `sha-256=:${crypto.createHash('sha256').update('{}').digest('base64')}:`);
  assert.ok(isSignedBy(proof, signer.publicKey));
  assert.deepEqual(Object.keys(signer.publicKey).sort(), ['crv', 'kty', 'x', 'y'], 'the proof carries more than the public half');
});

test('no two proofs are alike, and without token or body nothing is said of them', async () => {
  const signer = await generate();
  const call = { method: 'GET', url: 'https://a.example/', at: 0 };
  const [one, other] = [await prove(signer, call), await prove(signer, call)];
  assert.notEqual(parts(one)[1]!.jti, parts(other)[1]!.jti);
  assert.deepEqual(Object.keys(parts(one)[1]!).sort(), ['htm', 'htu', 'iat', 'jti']);
});

test('a key is tried before it is used: one whose halves do not belong together is found out', async () => {
  const [one, other] = [await generate(), await generate()];
  assert.equal(one.privateKey.extractable, false);
  await assert.rejects(crypto.subtle.exportKey('jwk', one.privateKey));
  assert.ok(await works(one));
  assert.ok(!await works({ ...one, publicKey: other.publicKey }));
});

test('a form is what any reader of multipart forms reads', async () => {
  const jpeg = new Uint8Array([0xff, 0xd8, 13, 10, 45, 45, 0, 255]);
  const { type, bytes } = answerForm({ nonce: 'n' }, [{ step: 's1', at: 0.4, jpeg }, { step: 's2', at: 900.6, jpeg }]);
  const form = await new Response(bytes, { headers: { 'content-type': type } }).formData();
  assert.deepEqual([...form.keys()], ['answer', 'frame0', 'frame1']);
  const answer = form.get('answer');
  assert.deepEqual(JSON.parse(typeof answer === 'string' ? answer : await answer!.text()), {
    nonce: 'n', frames: [{ part: 'frame0', step: 's1', t_ms: 0 }, { part: 'frame1', step: 's2', t_ms: 901 }],
  });
  const photo = form.get('frame1') as File;
  assert.deepEqual(new Uint8Array(await photo.arrayBuffer()), jpeg);
  assert.equal(photo.type, 'image/jpeg');
});
