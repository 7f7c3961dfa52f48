// Requests as a client makes them, and what every reply must look like.

import assert from 'node:assert/strict';
import http from 'node:http';

import { holdToContract } from './contract.mjs';

// The wire contract's codes: [HTTP status, slugs].
export const CODES = {
  1001: [401, 'authentication_failed'],
  1002: [401, 'domain_mismatch'],
  1003: [401, 'token_missing', 'token_invalid'],
  1004: [401, 'token_expired'],
  1005: [401, 'token_revoked'],
  1006: [400, 'invalid_parameter'],
  1007: [404, 'client_not_found'],
  1008: [404, 'face_not_enrolled'],
  1009: [409, 'client_exists'],
  1010: [403, 'scope_forbidden'],
  1012: [404, 'device_token_not_found'],
  1016: [403, 'account_locked'],
  1017: [403, 'account_locked_permanently'],
  1022: [429, 'rate_limited'],
  1023: [429, 'rate_limited'],
  1024: [429, 'rate_limited'],
  1025: [429, 'rate_limited'],
  1026: [429, 'rate_limited'],
  1030: [410, 'verification_expired'],
  1031: [409, 'verification_used'],
  1032: [404, 'verification_not_found'],
  1033: [422, 'no_face'],
  1034: [422, 'several_faces'],
  1035: [422, 'poor_image'],
  1036: [401, 'face_mismatch'],
  1037: [401, 'liveness_failed'],
  1038: [415, 'unsupported_image'],
  1039: [413, 'image_too_large'],
  1040: [401, 'session_token_invalid'],
  1042: [401, 'number_mismatch'],
  1046: [403, 'session_token_other_site'],
  1050: [401, 'device_proof_invalid'],
  1051: [410, 'enrollment_invalid'],
  5000: [500, 'internal'],
  5003: [503, 'overloaded'],
};

// Where HTTP has a truer status than the code's own: unknown route, wrong method, too large, wrong type of body.
const TRUER_STATUS = { 1006: [404, 405, 413, 415] };

/**
 * Sends a request; with `careful` the body only after the server said that it wants it (as curl
 * does with large ones), so that a refusal is not lost in a broken connection.
 * Resolves to {status, headers, text, json, what}; json is undefined where the body is none.
 */
export function request(url, { method = 'GET', headers = {}, body, careful = false } = {}) {
  return new Promise((resolve, reject) => {
    let answered = false;
    const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
    const outgoing = http.request(url, { method, headers: { ...length, ...(careful ? { expect: '100-continue' } : {}), ...headers }, agent: false });
    outgoing.on('response', (incoming) => {
      answered = true;
      const chunks = [];
      const finish = () => {
        const text = Buffer.concat(chunks).toString('utf8');
        const { statusCode: status, headers } = incoming;
        const { pathname } = new URL(url);
        const json = parse(text);
        try {
          holdToContract(method, pathname, status, json);
        } catch (broken) {
          return reject(broken);
        }
        return resolve({ status, headers, text, json, what: `${method} ${pathname}` });
      };
      incoming.on('data', (chunk) => chunks.push(chunk));
      incoming.on('end', finish);
      incoming.on('error', finish);
    });
    outgoing.on('error', (error) => answered || reject(new Error(`${method} ${url}: ${error.message}`)));
    outgoing.setTimeout(60_000, () => outgoing.destroy(new Error('no answer for 60 s')));
    if (careful) {
      outgoing.on('continue', () => outgoing.end(body));
      outgoing.flushHeaders();
    } else {
      outgoing.end(body);
    }
  });
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A multipart body: {name: text or {bytes, filename, type}} → {type, body}. */
export function multipart(parts) {
  const boundary = `part-${Math.random().toString(36).slice(2)}${Date.now()}`;
  const pieces = [];
  for (const [name, part] of Object.entries(parts)) {
    const { bytes, filename, type } = typeof part === 'string' ? { bytes: part } : part;
    const file = filename ? `; filename="${filename}"` : '';
    const kind = type ? `Content-Type: ${type}\r\n` : '';
    pieces.push(`--${boundary}\r\nContent-Disposition: form-data; name="${name}"${file}\r\n${kind}\r\n`, bytes, '\r\n');
  }
  pieces.push(`--${boundary}--\r\n`);
  return {
    type: `multipart/form-data; boundary=${boundary}`,
    body: Buffer.concat(pieces.map((piece) => Buffer.from(piece))),
  };
}

/** The reply is a success in the envelope: returns its data. */
export function data(reply) {
  assert.equal(reply.status, 200, `${reply.what}: ${reply.status} ${reply.text.slice(0, 600)}`);
  assert.match(reply.headers['content-type'] ?? '', /^application\/json/, reply.what);
  assert.equal(reply.json?.success, true, reply.what);
  assert.deepEqual(Object.keys(reply.json).sort(), ['data', 'success'], reply.what);
  return reply.json.data;
}

/** The reply is a failure in the envelope with one of these codes: returns it. */
export function failure(reply, ...codes) {
  const about = `${reply.what}: ${reply.status} ${reply.text.slice(0, 600)}`;
  assert.match(reply.headers['content-type'] ?? '', /^application\/json/, about);
  const found = reply.json;
  assert.ok(found && typeof found === 'object', `no envelope. ${about}`);
  assert.equal(found.success, false, about);
  assert.ok(codes.includes(found.code), `expected ${codes.join(' or ')}. ${about}`);
  assert.equal(found.http_code, reply.status, `http_code is not the status. ${about}`);
  for (const field of ['message', 'user_message']) {
    assert.ok(typeof found[field] === 'string' && found[field].length > 0, `${field} is missing. ${about}`);
  }
  assert.doesNotMatch(found.user_message, /[_{}<>]|JSON|token|null|parameter:/, `user_message is not for people. ${about}`);
  const [status, ...slugs] = CODES[found.code];
  assert.ok(slugs.includes(found.error), `slug of ${found.code}. ${about}`);
  assert.ok([status, ...(TRUER_STATUS[found.code] ?? [])].includes(reply.status), `status of ${found.code}. ${about}`);
  if (reply.status === 429 || reply.status === 503) {
    assert.ok(Number(reply.headers['retry-after']) > 0, `Retry-After. ${about}`);
  }
  return found;
}
