// The device proof: what this phone signs for each request (RFC 9449, and `digest` for the body).

import { base64url, bytesOf, sha256 } from './encoding.js';

const ES256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

/** The public half as proofs carry it. */
export interface PublicKey {
  kty: string;
  crv: string;
  x: string;
  y: string;
}

export interface Signer {
  /** Cannot be read out, by this program neither. */
  privateKey: CryptoKey;
  publicKey: PublicKey;
}

export interface Call {
  method: string;
  /** Scheme, host and path as called; a query is left out. */
  url: string;
  token?: string | undefined;
  /** The `Content-Digest` where there is a body. */
  digest?: string | undefined;
  /** Milliseconds since 1970, by the server's clock. */
  at: number;
}

export async function generate(): Promise<Signer> {
  const pair = await crypto.subtle.generateKey(ES256, false, ['sign', 'verify']);
  const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', pair.publicKey);
  if (!kty || !crv || !x || !y) throw new Error('the key has no coordinates');
  return { privateKey: pair.privateKey, publicKey: { kty, crv, x, y } };
}

export async function prove(signer: Signer, call: Call): Promise<string> {
  const { origin, pathname } = new URL(call.url);
  const header = { typ: 'dpop+jwt', alg: 'ES256', jwk: signer.publicKey };
  const claims = {
    htm: call.method,
    htu: origin + pathname,
    iat: Math.floor(call.at / 1000),
    jti: base64url(crypto.getRandomValues(new Uint8Array(16))),
    ...(call.token === undefined ? {} : { ath: base64url(await sha256(bytesOf(call.token))) }),
    ...(call.digest === undefined ? {} : { digest: call.digest }),
  };
  const signed = [header, claims].map((part) => base64url(bytesOf(JSON.stringify(part)))).join('.');
  const signature = await crypto.subtle.sign(ES256, signer.privateKey, bytesOf(signed));
  return `${signed}.${base64url(new Uint8Array(signature))}`;
}

/** Signs something and checks it with the public half: whether the two still belong together. */
export async function works({ privateKey, publicKey }: Signer): Promise<boolean> {
  const something = crypto.getRandomValues(new Uint8Array(32));
  const signature = await crypto.subtle.sign(ES256, privateKey, something);
  const checking = await crypto.subtle.importKey('jwk', { ...publicKey }, ES256, false, ['verify']);
  return crypto.subtle.verify(ES256, checking, signature, something);
}
