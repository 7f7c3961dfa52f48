// Which sign-ons wait, of all pairings. Pure: told by the inbox, shown by the home screen.

import type { SignOn } from '../server/routes.js';

export interface Entry {
  /** Which pairing it is for. */
  pairing: string;
  signOn: SignOn;
}

export class Waiting {
  #entries = new Map<string, Entry & { added: number }>();
  // What is over never waits again, whatever an older answer says.
  readonly #over = new Set<string>();
  #added = 0;

  /** The newest first. */
  list(): Entry[] {
    return [...this.#entries.values()].sort((a, b) => Date.parse(b.signOn.requested_at) - Date.parse(a.signOn.requested_at));
  }

  has(signOnId: string): boolean {
    return this.#entries.has(signOnId);
  }

  add(pairing: string, signOn: SignOn): void {
    if (!this.#over.has(signOn.sign_on_id)) this.#entries.set(signOn.sign_on_id, { pairing, signOn, added: ++this.#added });
  }

  remove(signOnId: string): void {
    this.#entries.delete(signOnId);
    this.#over.add(signOnId);
  }

  /** A mark in time, for `replace`. */
  mark(): number {
    return this.#added;
  }

  /** Takes a pairing's whole list, asked for at `mark`, in the place of what is known of it; what came since then stays. */
  replace(pairing: string, signOns: SignOn[], mark: number): void {
    for (const [id, entry] of this.#entries) if (entry.pairing === pairing && entry.added <= mark) this.#entries.delete(id);
    for (const signOn of signOns) this.add(pairing, signOn);
  }

  /** Forgets what has expired by `now`, milliseconds since 1970; whether there was such. */
  expire(now: number): boolean {
    const before = this.#entries.size;
    for (const [id, { signOn }] of this.#entries) if (Date.parse(signOn.expires_at) <= now) this.#entries.delete(id);
    return this.#entries.size !== before;
  }

  forget(pairing: string): void {
    this.replace(pairing, [], this.#added);
  }
}
