// What survives a reload: the request that waits, in this tab alone, until it is answered or over.

import type { Request } from './machine.js';

const PREFIX = 'axiam-facial-login:';

/** Storage may be refused (private windows, sandboxed frames): the widget then forgets, and works. */
function storage(): Storage | null {
  try {
    return sessionStorage;
  } catch {
    return null;
  }
}

export class Memory {
  readonly #key: string;

  /** `place` tells the widgets of one page apart. */
  constructor(place: string) {
    this.#key = PREFIX + place;
  }

  keep(request: Request): void {
    try {
      storage()?.setItem(this.#key, JSON.stringify(request));
    } catch {
      // Full: a reload will start anew.
    }
  }

  forget(): void {
    storage()?.removeItem(this.#key);
  }

  /** The request that was waiting, if its time is not over. */
  recall(now: number): Request | null {
    try {
      const found = JSON.parse(storage()?.getItem(this.#key) ?? 'null') as Partial<Request> | null;
      const usable = typeof found?.verificationToken === 'string' && typeof found.email === 'string'
        && typeof found.sentAt === 'number' && typeof found.expiresAt === 'number' && found.expiresAt > now;
      return usable ? { number: null, ...found } as Request : null;
    } catch {
      return null;
    }
  }
}
