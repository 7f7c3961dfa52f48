// A phone written from the wire contract alone: it shares nothing with the server.

import crypto from 'node:crypto';

import { data, multipart, request } from './http.mjs';

const base64url = (value) => Buffer.from(value).toString('base64url');
const sha256 = (value) => crypto.createHash('sha256').update(value).digest();

/** The Content-Digest of a body (RFC 9530). */
export const contentDigest = (body) => `sha-256=:${sha256(body).toString('base64')}:`;

/**
 * Keys that were read from text. Those that Node 20 generates share a lock with the job that made them: if that is collected
 * while one of them is exported as a JWK, the process waits for itself, for ever, and no timer runs.
 */
function keyPair() {
  const text = crypto.generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const privateKey = crypto.createPrivateKey(text.privateKey);
  return { privateKey, publicKey: crypto.createPublicKey(privateKey) };
}

export class Phone {
  constructor(root, enrollmentToken) {
    this.root = root;
    this.enrollmentToken = enrollmentToken;
    this.key = keyPair();
  }

  /** Takes the link of a QR code: the server is its origin, the token is what follows the `#`. */
  static async fromLink(link) {
    const { origin, pathname, hash } = new URL(link);
    if (pathname !== '/phone/' || hash.length < 10) throw new Error(`not an enrolment link: ${link}`);
    return new Phone(`${origin}/api/v1/facial_sign_on`, hash.slice(1));
  }

  /** Claims and header may be changed by `claims` and `header`; `key` signs instead of the phone's own. */
  proof({ method, url, body, token = this.token, claims = {}, header = {}, key = this.key.privateKey }) {
    const { kty, crv, x, y } = this.key.publicKey.export({ format: 'jwk' });
    const { origin, pathname } = new URL(url);
    const head = { typ: 'dpop+jwt', alg: 'ES256', jwk: { kty, crv, x, y }, ...header };
    const payload = {
      htm: method,
      htu: origin + pathname,
      iat: Math.floor(Date.now() / 1000),
      jti: crypto.randomUUID(),
      ...(token ? { ath: base64url(sha256(token)) } : {}),
      ...(body === undefined ? {} : { digest: contentDigest(body) }),
      ...claims,
    };
    const signed = `${base64url(JSON.stringify(head))}.${base64url(JSON.stringify(payload))}`;
    const signature = crypto.sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' });
    return `${signed}.${base64url(signature)}`;
  }

  /**
   * Any request. `json` or `parts` or `body` with `type` make the body; `proof` changes the proof
   * (a text replaces it, null leaves it out); `headers` win (undefined leaves one out).
   */
  send(method, route, { json, parts, body, type, proof = {}, token = this.token, headers = {}, careful } = {}) {
    const made = parts ? multipart(parts) : json === undefined ? { body, type } : { body: JSON.stringify(json), type: 'application/json' };
    const url = this.root + route;
    const all = {
      'content-type': made.type,
      'content-digest': made.body === undefined ? undefined : contentDigest(made.body),
      authorization: token ? `DPoP ${token}` : undefined,
      dpop: proof === null ? undefined : typeof proof === 'string' ? proof : this.proof({ method, url, body: made.body, token, ...proof }),
      ...headers,
    };
    const present = Object.entries(all).filter(([, value]) => value !== undefined && value !== null);
    return request(url, { method, careful, body: made.body, headers: Object.fromEntries(present) });
  }

  post(route, json, more = {}) {
    return this.send('POST', route, { json, ...more });
  }

  /** Pairs; keeps the device token. Returns the reply. */
  async register(more = {}) {
    const wish = { enrollment_token: this.enrollmentToken, name: 'Scripted phone', platform: 'android', push: { kind: 'none' }, ...more };
    const reply = await this.post('/device/register', wish);
    if (reply.json?.success) {
      this.token = reply.json.data.device_token;
      this.id = reply.json.data.device_id;
      this.consent = reply.json.data.consent;
    }
    return reply;
  }

  async enrolmentChallenge() {
    return data(await this.post('/device/challenge', {}));
  }

  async challenge(sign_on_id) {
    return data(await this.post('/login/challenge', { sign_on_id }));
  }

  /** Takes a challenge and sends photos for the reference. Returns the reply. */
  async enrol(photos, { answer = {} } = {}) {
    const challenge = await this.enrolmentChallenge();
    const consent_version = this.consent?.version;
    return this.send('POST', '/device/facial', { parts: frames({ nonce: challenge.nonce, consent_version, ...answer }, photos, challenge) });
  }

  async pending(query = '') {
    return data(await this.send('GET', `/login/pending${query}`)).sign_ons;
  }

  /** Takes a challenge for a sign-on (the newest pending one unless named) and answers it. Returns the reply. */
  async scan(photos, { signOn, number, answer = {} } = {}) {
    const sign_on_id = signOn ?? (await this.pending()).at(-1)?.sign_on_id;
    if (!sign_on_id) throw new Error('nothing is pending on this phone');
    const challenge = await this.challenge(sign_on_id);
    return this.verify({ sign_on_id, nonce: challenge.nonce, number, ...answer }, photos, challenge);
  }

  verify(answer, photos, challenge) {
    return this.send('POST', '/login/verify_token', { parts: frames(answer, photos, challenge) });
  }

  deny(sign_on_id, report = false) {
    return this.post('/login/deny', { sign_on_id, report });
  }
}

/** The parts of a scan: `answer` and one part for each photo. */
export function frames(answer, photos, challenge = {}) {
  const steps = challenge.steps ?? [];
  const list = photos.map((_, at) => ({
    part: `frame${at}`,
    ...(steps.length ? { step: steps[Math.min(at, steps.length - 1)].id } : {}),
    t_ms: at * 200,
  }));
  const parts = { answer: { bytes: JSON.stringify({ frames: list, ...answer }), type: 'application/json' } };
  photos.forEach((bytes, at) => {
    parts[`frame${at}`] = { bytes, filename: `${at}.jpg`, type: 'image/jpeg' };
  });
  return parts;
}
