// Hears what becomes of a request: by the cable, and by asking `login/status` while the cable is away.

import { createConsumer, type Consumer } from '@rails/actioncable';

import { CallError, type Api } from './api.js';
import type { Message } from './machine.js';

const CHANNEL = 'FacialSignOnLoginChannel';

/** Milliseconds: without a cable the status is asked first after `SOON`, then every `EVERY`. */
const SOON = 1_000;
const EVERY = 2_500;

/** The codes of a request that is over or was never there. */
const OVER = [1030, 1031, 1032];

export interface Ears {
  heard(message: Message): void;
  /** The request is unknown or its time is over. */
  gone(): void;
  connection(up: boolean): void;
  debug(what: string): void;
}

// What Action Cable's client has but does not declare.
interface Inside {
  connection: { isActive(): boolean; webSocket?: WebSocket };
}

export class Listener {
  #consumer: (Consumer & Inside) | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;
  #connected = false;
  #renewed = false;

  constructor(
    private readonly api: Api,
    private readonly cableUrl: string,
    private readonly verificationToken: string,
    private readonly ears: Ears,
  ) {
    void this.#connect();
    this.#askIn(SOON);
  }

  /** Asks now what can be asked: the network is back, or the page is looked at again. */
  nudge(): void {
    if (!this.#closed && !this.#connected) this.#askIn(0);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#hangUp();
  }

  async #connect(): Promise<void> {
    // A page where tokens cannot be had now still hears by asking.
    const token = await this.api.token().catch(() => null);
    if (this.#closed) return;
    const consumer = createConsumer(this.cableUrl) as Consumer & Inside;
    this.#consumer = consumer;
    // In the list of protocols rather than the address, which ends in logs.
    if (token) consumer.addSubProtocol(`anycable-token.${token}`);
    consumer.subscriptions.create({ channel: CHANNEL, verification_token: this.verificationToken }, {
      connected: () => this.#up(),
      disconnected: ({ willAttemptReconnect }: { willAttemptReconnect: boolean | undefined }) => this.#down(!!willAttemptReconnect),
      rejected: () => this.#rejected(),
      received: (message: Message) => this.#closed || this.ears.heard(message),
    });
  }

  #up(): void {
    if (this.#closed) return;
    this.#connected = true;
    this.#renewed = false;
    clearTimeout(this.#timer);
    this.ears.debug('cable connected');
    this.ears.connection(true);
  }

  #down(willReconnect: boolean): void {
    if (this.#closed) return;
    this.#connected = false;
    this.ears.debug(`cable lost${willReconnect ? '' : ', for good'}`);
    this.#askIn(SOON);
    // Turned away, most likely because the token's time is over: once with another one, then by asking alone.
    if (willReconnect || this.#renewed || !this.api.renew()) return;
    this.#renewed = true;
    this.#hangUp();
    void this.#connect();
  }

  // Unknown, over, or only too many subscriptions: the status knows.
  #rejected(): void {
    if (this.#closed) return;
    this.ears.debug('subscription rejected');
    this.#connected = false;
    this.#hangUp();
    this.#askIn(0);
  }

  #askIn(milliseconds: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#ask(), milliseconds);
  }

  async #ask(): Promise<void> {
    let wait = EVERY;
    try {
      const message = await this.api.status(this.verificationToken);
      if (this.#closed) return;
      this.ears.connection(true);
      this.ears.heard(message);
    } catch (error) {
      if (this.#closed) return;
      const call = error instanceof CallError ? error : new CallError('offline', '');
      if (call.code !== null && OVER.includes(call.code)) return this.ears.gone();
      if (call.fault === 'offline') this.ears.connection(false);
      wait = Math.max(wait, call.retryAfter * 1000);
    }
    if (!this.#closed && !this.#connected) this.#askIn(wait);
  }

  // Action Cable's own `disconnect` leaves a socket that is still opening, and a reopening that is already timed.
  #hangUp(): void {
    const consumer = this.#consumer;
    this.#consumer = null;
    if (!consumer) return;
    consumer.disconnect();
    consumer.connection.isActive = () => true;
    consumer.connection.webSocket?.close();
  }
}
