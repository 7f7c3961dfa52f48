// The three routes a page may call, with a token that is fetched anew when its time is over.

import type { Fault, Message, Request } from './machine.js';
import type { Options } from './options.js';

/** Milliseconds after which a call is given up. */
const PATIENCE = 15_000;
const TOKEN_EXPIRED = 1004;

/** Why a call did not succeed; `message` is a sentence for people, empty where the API had none. */
export class CallError extends Error {
  constructor(readonly fault: Fault, message: string, readonly code: number | null = null, readonly retryAfter = 0) {
    super(message);
    this.name = 'CallError';
  }
}

interface Envelope {
  success?: boolean;
  data?: unknown;
  user_message?: string;
  code?: number;
}

export class Api {
  #token: Promise<string> | null = null;

  constructor(
    private readonly root: string,
    private readonly source: Options['authToken'],
    private readonly language: string,
  ) {}

  /** The token as it is, fetched at the first need. */
  token(): Promise<string> {
    const fetched = async (): Promise<string> => (typeof this.source === 'function' ? this.source() : this.source);
    this.#token ??= fetched().then((token) => {
      if (typeof token !== 'string' || !token) throw new CallError('setup', '');
      return token;
    }, () => {
      throw new CallError(navigator.onLine === false ? 'offline' : 'api', '');
    });
    // A failure is not kept: the next call asks again.
    this.#token.catch(() => { this.#token = null; });
    return this.#token;
  }

  /** Drops the token; false where there is no way to another one. */
  renew(): boolean {
    this.#token = null;
    return typeof this.source === 'function';
  }

  /** Looks the person up and asks their phone. `now` is when that was, in milliseconds since 1970. */
  async send(email: string, now: () => number): Promise<Request> {
    const data = await this.#call('POST', '/client/send_push', { email }) as
      { verification_token: string; number: number | null; expires_in: number };
    const sentAt = now();
    return {
      email,
      verificationToken: data.verification_token,
      number: data.number ?? null,
      sentAt,
      expiresAt: sentAt + data.expires_in * 1000,
    };
  }

  async status(verificationToken: string): Promise<Message> {
    return await this.#call('GET', `/login/status?verification_token=${encodeURIComponent(verificationToken)}`) as Message;
  }

  async cancel(verificationToken: string): Promise<void> {
    await this.#call('POST', '/login/cancel', { verification_token: verificationToken });
  }

  async #call(method: string, path: string, body?: unknown): Promise<unknown> {
    try {
      return await this.#once(method, path, body);
    } catch (error) {
      if (!(error instanceof CallError) || error.code !== TOKEN_EXPIRED) throw error;
      if (!this.renew()) throw new CallError('stale', error.message, error.code);
      return this.#once(method, path, body);
    }
  }

  async #once(method: string, path: string, body: unknown): Promise<unknown> {
    const headers: Record<string, string> = { authorization: `Bearer ${await this.token()}`, 'accept-language': this.language };
    if (body !== undefined) headers['content-type'] = 'application/json';
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), PATIENCE);
    try {
      const response = await fetch(this.root + path, {
        method,
        headers,
        body: body === undefined ? null : JSON.stringify(body),
        credentials: 'omit',
        cache: 'no-store',
        referrerPolicy: 'no-referrer',
        signal: abort.signal,
      });
      return opened(response, await response.json().catch(() => null) as Envelope | null);
    } catch (error) {
      throw error instanceof CallError ? error : new CallError('offline', '');
    } finally {
      clearTimeout(timer);
    }
  }
}

function opened(response: Response, envelope: Envelope | null): unknown {
  if (response.ok && envelope?.success && envelope.data) return envelope.data;
  const wait = Number(response.headers.get('retry-after')) || 0;
  throw new CallError('api', envelope?.user_message ?? '', envelope?.code ?? null, wait);
}
