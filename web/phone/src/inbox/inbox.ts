// Hears of sign-ons: asks `login/pending` at once, listens on the cable, and asks again while the cable is away.

import { isUnpaired, Refused } from '../server/api.js';
import { InboxCable } from '../server/cable.js';
import type { Routes, SignOn } from '../server/routes.js';
import type { Pairing } from '../pairing/vault.js';
import { Waiting } from './waiting.js';

/** Milliseconds from one question to the next while the cable is away. */
const EVERY = 3_000;
/** The same where the server refused what the phone signed. */
const REFUSED = 10_000;

export interface Listener {
  /** The list or the connection is another. */
  changed(): void;
  /** A sign-on is over: answered here or elsewhere, taken back by the page, or expired. */
  closed(signOnId: string): void;
  /** One of the person's phones was paired, confirmed or removed. */
  phones(pairing: string): void;
  /** The server does not know the phone any more. */
  lost(pairing: string): void;
  /** The person looks at the app again, and what waits was asked for. */
  returned(): void;
}

interface Line {
  pairing: Pairing;
  cable: InboxCable;
  timer: ReturnType<typeof setTimeout> | undefined;
  isReachable: boolean;
}

export class Inbox {
  readonly waiting = new Waiting();
  readonly #lines = new Map<string, Line>();
  readonly #ticking: ReturnType<typeof setInterval>;

  constructor(private readonly routes: Routes, private readonly listener: Listener) {
    this.#ticking = setInterval(() => this.#expire(), 1_000);
    addEventListener('online', this.#online);
    addEventListener('offline', this.#offline);
    document.addEventListener('visibilitychange', this.#seen);
  }

  /** Whether every server answered when it was last asked. */
  get isOnline(): boolean {
    return navigator.onLine !== false && [...this.#lines.values()].every(({ isReachable }) => isReachable);
  }

  /** Listens for exactly these pairings from now on. */
  follow(pairings: Pairing[]): void {
    for (const id of this.#lines.keys()) if (!pairings.some((pairing) => pairing.id === id)) this.#leave(id);
    for (const pairing of pairings) if (!this.#lines.has(pairing.id)) this.#join(pairing);
  }

  /** Asks again for everything, now; resolves when all have answered or failed. */
  async refresh(): Promise<void> {
    await Promise.all([...this.#lines.values()].map((line) => {
      line.cable.nudge();
      clearTimeout(line.timer);
      return this.#ask(line);
    }));
  }

  close(): void {
    this.follow([]);
    clearInterval(this.#ticking);
    removeEventListener('online', this.#online);
    removeEventListener('offline', this.#offline);
    document.removeEventListener('visibilitychange', this.#seen);
  }

  #join(pairing: Pairing): void {
    const { api } = this.routes;
    const cable = new InboxCable(`${api.origin.replace(/^http/, 'ws')}/cable`, () => api.socketProofs(pairing), {
      heard: (message) => this.#heard(pairing.id, message),
      connection: (up) => this.#connection(pairing.id, up),
    });
    const line: Line = { pairing, cable, timer: undefined, isReachable: true };
    this.#lines.set(pairing.id, line);
    this.#askIn(line, 0);
  }

  #leave(id: string): void {
    const line = this.#lines.get(id);
    this.#lines.delete(id);
    clearTimeout(line?.timer);
    line?.cable.close();
    this.waiting.forget(id);
  }

  #connection(id: string, up: boolean): void {
    const line = this.#lines.get(id);
    if (!line) return;
    if (up) line.isReachable = true;
    // What came while nobody listened is asked for.
    this.#askIn(line, up ? 0 : EVERY);
    this.listener.changed();
  }

  #heard(pairing: string, message: Record<string, unknown>): void {
    const id = String(message.sign_on_id);
    if (message.status === 'pending') {
      this.waiting.add(pairing, message as unknown as SignOn);
      this.listener.changed();
    } else if (message.status === 'closed') {
      this.#closed(id);
    } else if (message.status === 'phone') {
      this.listener.phones(pairing);
      // One that was confirmed may have something waiting.
      const line = this.#lines.get(pairing);
      if (line) this.#askIn(line, 0);
    }
  }

  #closed(signOnId: string): void {
    this.waiting.remove(signOnId);
    this.listener.closed(signOnId);
    this.listener.changed();
  }

  #askIn(line: Line, milliseconds: number): void {
    clearTimeout(line.timer);
    line.timer = setTimeout(() => void this.#ask(line), milliseconds);
  }

  async #ask(line: Line): Promise<void> {
    const { id } = line.pairing;
    let wait = EVERY;
    const mark = this.waiting.mark();
    try {
      const signOns = await this.routes.pending(line.pairing);
      if (!this.#lines.has(id)) return;
      const before = this.waiting.list().filter((entry) => entry.pairing === id);
      this.waiting.replace(id, signOns, mark);
      line.isReachable = true;
      for (const { signOn } of before) if (!this.waiting.has(signOn.sign_on_id)) this.listener.closed(signOn.sign_on_id);
    } catch (error) {
      if (!this.#lines.has(id)) return;
      if (isUnpaired(error)) {
        this.#leave(id);
        return this.listener.lost(id);
      }
      // Where it takes no proof of this phone now (its address may be set wrong), nothing is heard either.
      line.isReachable = error instanceof Refused && !error.isOfProof;
      if (error instanceof Refused) wait = Math.max(error.isOfProof ? REFUSED : EVERY, error.retryAfter * 1000);
    }
    this.listener.changed();
    if (!line.cable.isUp || !line.isReachable) this.#askIn(line, wait);
  }

  #expire(): void {
    const before = this.waiting.list();
    if (!this.waiting.expire(this.routes.api.now())) return;
    for (const { signOn } of before) if (!this.waiting.has(signOn.sign_on_id)) this.listener.closed(signOn.sign_on_id);
    this.listener.changed();
  }

  readonly #online = (): void => {
    if (document.visibilityState === 'visible') void this.refresh();
  };

  readonly #seen = (): void => {
    if (document.visibilityState === 'visible') void this.refresh().then(() => this.listener.returned());
  };

  readonly #offline = (): void => this.listener.changed();
}
