// The phone's routes, each call signed by the key of its pairing.

import { bytesOf, contentDigest } from './encoding.js';
import type { Form } from './form.js';
import { prove, type Signer } from './proof.js';

const API = '/api/v1/facial_sign_on';
/** Milliseconds after which a call is given up; uploads over slow networks take their time. */
const PATIENCE = 30_000;
/** A proof is fresh for 60 s either way: a clock that is off by less than this needs no help, milliseconds. */
const TOLERATED = 10_000;
const PROOF_INVALID = 1050;

/** The server said no. */
export class Refused extends Error {
  override name = 'Refused';

  constructor(
    readonly code: number,
    readonly sentence: string,
    readonly details: { attempts_left?: number; reason?: string; hint?: string; field?: string },
    /** Seconds. */
    readonly retryAfter: number,
  ) {
    super(sentence);
  }

  /** What the phone signed was not accepted, whatever was asked. */
  get isOfProof(): boolean {
    return this.code === PROOF_INVALID;
  }
}

/** The server knows no such phone, or no longer. It refuses a proof for other reasons too, which may pass. */
export const isUnpaired = (error: unknown): boolean =>
  error instanceof Refused && error.isOfProof && error.details.reason === 'unpaired';

/** Nothing came back that is the server's: no network, or something else in its place. */
export class Unreachable extends Error {
  override name = 'Unreachable';
}

interface Envelope {
  success?: boolean;
  data?: unknown;
  user_message?: string;
  code?: number;
  details?: Refused['details'];
}

interface Sent {
  json?: unknown;
  form?: Form;
}

/** Who calls: a key, and once it is paired its token. */
export type Caller = Signer & { token?: string };

export class Api {
  // What the server's clock is ahead of ours, milliseconds; learnt from its answers.
  #ahead = 0;

  /** `origin` is the server's, without a slash at its end. */
  constructor(readonly origin: string) {}

  /** The server's time, milliseconds since 1970. */
  now(): number {
    return Date.now() + this.#ahead;
  }

  /** The subprotocols by which a socket of the cable is this phone's. */
  async socketProofs(caller: Caller & { token: string }): Promise<string[]> {
    const proof = await prove(caller, { method: 'GET', url: `${this.origin}/cable`, token: caller.token, at: this.now() });
    return [`axiam-device.${caller.token}`, `axiam-proof.${proof}`];
  }

  async call(caller: Caller, method: string, route: string, sent: Sent = {}): Promise<unknown> {
    const before = this.#ahead;
    try {
      return await this.#once(caller, method, route, sent);
    } catch (error) {
      // The answer told how wrong our clock is.
      const isClock = error instanceof Refused && error.isOfProof && this.#ahead !== before;
      if (!isClock) throw error;
      return this.#once(caller, method, route, sent);
    }
  }

  async #once(caller: Caller, method: string, route: string, { json, form }: Sent): Promise<unknown> {
    const url = this.origin + API + route;
    const type = form ? form.type : 'application/json';
    const body = form ? form.bytes : json === undefined ? undefined : bytesOf(JSON.stringify(json));
    const digest = body && await contentDigest(body);
    const { token } = caller;
    const headers: Record<string, string> = { dpop: await prove(caller, { method, url, token, digest, at: this.now() }) };
    if (token) headers.authorization = `DPoP ${token}`;
    if (body && digest) Object.assign(headers, { 'content-type': type, 'content-digest': digest });
    const response = await fetch(url, {
      method,
      headers,
      body: body ?? null,
      credentials: 'omit',
      cache: 'no-store',
      signal: AbortSignal.timeout(PATIENCE),
    }).catch((cause: unknown) => { throw new Unreachable('no answer', { cause }); });
    this.#learn(response);
    return opened(response, await response.json().catch(() => null) as Envelope | null);
  }

  #learn(response: Response): void {
    const told = Date.parse(response.headers.get('date') ?? '');
    // The header has whole seconds: half a second is lost on average.
    const ahead = told + 500 - Date.now();
    if (!Number.isFinite(ahead)) return;
    this.#ahead = Math.abs(ahead) > TOLERATED ? ahead : 0;
  }
}

function opened(response: Response, envelope: Envelope | null): unknown {
  if (response.ok && envelope?.success && envelope.data) return envelope.data;
  if (typeof envelope?.code !== 'number') throw new Unreachable(`HTTP ${response.status}`);
  const wait = Number(response.headers.get('retry-after')) || 0;
  throw new Refused(envelope.code, envelope.user_message ?? '', envelope.details ?? {}, wait);
}
