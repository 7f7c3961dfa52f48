// What the phone keeps, in IndexedDB: for each site a key of its own, so that two sites cannot tell that it is one phone.

import type { Standing } from '../server/routes.js';
import type { Signer } from '../server/proof.js';

export interface Consent {
  version: string;
  text: string;
  required: boolean;
}

/** A key that is stored but not paired yet; such a one is left over where pairing was interrupted. */
export interface Draft extends Signer {
  id: string;
}

export interface Pairing extends Draft {
  deviceId: string;
  clientId: string;
  token: string;
  site: { name: string; domain: string };
  consent: Consent;
  faceEnrolled: boolean;
  /** Milliseconds since 1970. */
  pairedAt: number;
  /** How far this phone was trusted when last asked. */
  standing?: Standing;
  /** Where the server was told to wake this phone; absent: not at all. */
  pushed?: string;
  /** Whether another phone waits for the person's yes. */
  newPhone?: boolean;
  /** The site does not know this phone any more. */
  lost?: boolean;
}

const NAME = 'axiam-phone';
const STORE = 'pairings';

/** The store cannot be used: private windows, full disks, browsers that keep no keys. */
export class VaultError extends Error {
  override name = 'VaultError';
}

const isPairing = (kept: Draft): kept is Pairing => 'token' in kept;

export class Vault {
  private constructor(private readonly database: IDBDatabase) {}

  static open(): Promise<Vault> {
    return new Promise((resolve, reject) => {
      const fail = (cause: unknown): void => reject(new VaultError('cannot open', { cause }));
      try {
        const request = indexedDB.open(NAME, 1);
        request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: 'id' });
        request.onsuccess = () => {
          // A newer version of this program may need the store for itself.
          request.result.onversionchange = () => request.result.close();
          resolve(new Vault(request.result));
        };
        request.onerror = () => fail(request.error);
        request.onblocked = () => fail('blocked');
      } catch (error) {
        fail(error);
      }
    });
  }

  async put(kept: Draft | Pairing): Promise<void> {
    await this.#run('readwrite', (store) => store.put(kept));
  }

  async get(id: string): Promise<Draft | Pairing | undefined> {
    return await this.#run('readonly', (store) => store.get(id)) as Draft | Pairing | undefined;
  }

  async remove(id: string): Promise<void> {
    await this.#run('readwrite', (store) => store.delete(id));
  }

  /** The oldest first. Removes what an interrupted pairing left. */
  async pairings(): Promise<Pairing[]> {
    for (const draft of await this.#all()) if (!isPairing(draft)) await this.remove(draft.id);
    return this.paired();
  }

  /** The oldest first; leaves alone what is being paired at this moment. */
  async paired(): Promise<Pairing[]> {
    return (await this.#all()).filter(isPairing).sort((a, b) => a.pairedAt - b.pairedAt);
  }

  async #all(): Promise<(Draft | Pairing)[]> {
    return await this.#run('readonly', (store) => store.getAll()) as (Draft | Pairing)[];
  }

  // Resolves when the transaction is on disk, not when the request is done.
  #run(mode: IDBTransactionMode, ask: (store: IDBObjectStore) => IDBRequest): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const fail = (cause: unknown): void => reject(new VaultError('cannot store', { cause }));
      try {
        const transaction = this.database.transaction(STORE, mode, { durability: 'strict' });
        const request = ask(transaction.objectStore(STORE));
        transaction.oncomplete = () => resolve(request.result);
        transaction.onabort = () => fail(transaction.error);
        transaction.onerror = () => fail(transaction.error);
      } catch (error) {
        fail(error);
      }
    });
  }
}
