// Whether this phone is woken by notifications, as its person wants it. The app works without.

import type { Own, Routes } from '../server/routes.js';
import { subscribe, tell } from './subscription.js';
import type { Pairing } from '../pairing/vault.js';

/** What the person said last; nothing until they were asked. */
const WANTED = 'axiam-phone-notifications';
/** Milliseconds that the service worker may take to be there. */
const PATIENCE = 10_000;

/** none: this browser cannot, or not in a tab; blocked: the person said no to the browser. */
export type State = 'none' | 'blocked' | 'off' | 'on';

export class Waking {
  // One at a time: all pairings share one subscription.
  #last: Promise<void> = Promise.resolve();

  constructor(private readonly routes: Routes, private readonly keep: (pairing: Pairing) => Promise<void>) {}

  get state(): State {
    if (!('PushManager' in globalThis) || !('Notification' in globalThis) || !navigator.serviceWorker) return 'none';
    if (Notification.permission === 'denied') return 'blocked';
    return Notification.permission === 'granted' && wanted() === 'on' ? 'on' : 'off';
  }

  /** Whether the person was not asked yet. */
  get isNew(): boolean {
    return this.state === 'off' && wanted() === null;
  }

  /** To be called from a tap: browsers ask for permission only then. */
  async turnOn(pairings: Pairing[]): Promise<void> {
    if (await Notification.requestPermission() !== 'granted') return;
    want('on');
    const asked = pairings.filter(({ lost }) => !lost);
    const failures = await this.#each(asked, async (pairing) => this.match(pairing, await this.routes.own(pairing)));
    // Where some sites can wake the phone, they do; the others are seen to at the next start.
    if (!failures.length || failures.length < asked.length) return;
    want('off');
    throw failures[0];
  }

  async turnOff(pairings: Pairing[]): Promise<void> {
    want('off');
    const registration = await navigator.serviceWorker.getRegistration();
    await (await registration?.pushManager.getSubscription())?.unsubscribe();
    // A site that is not told now is told at the next start; its pushes reach nobody from now on.
    await this.#each(pairings.filter(({ pushed, lost }) => pushed && !lost), (pairing) => this.#forget(pairing));
  }

  /** One pairing's failure is not the others'. */
  async #each(pairings: Pairing[], does: (pairing: Pairing) => Promise<void>): Promise<unknown[]> {
    const failures: unknown[] = [];
    for (const pairing of pairings) {
      await does(pairing).catch((error: unknown) => {
        console.warn('a site cannot be told how this phone is woken', error);
        failures.push(error);
      });
    }
    return failures;
  }

  /** The person wants to be asked no more. */
  notNow(): void {
    want('off');
  }

  /** Has the server know of this phone what holds now: browsers change and end subscriptions, people permissions. */
  match(pairing: Pairing, own: Pick<Own, 'push' | 'web_push_key'>): Promise<void> {
    const done = this.#last.then(() => this.#match(pairing, own));
    this.#last = done.catch(() => {});
    return done;
  }

  async #match(pairing: Pairing, { push, web_push_key: key }: Pick<Own, 'push' | 'web_push_key'>): Promise<void> {
    if (this.state === 'none') return;
    if (this.state !== 'on') return push === 'web_push' ? this.#forget(pairing) : undefined;
    // What the server was told and has dropped is gone for the push service, which does not say so to every browser.
    const dead = push === 'web_push' ? undefined : pairing.pushed;
    const subscription = await subscribe(await registered(), key, dead);
    if (push === 'web_push' && pairing.pushed === subscription.endpoint) return;
    await tell(this.routes, pairing, subscription, key);
    await this.keep(pairing);
  }

  async #forget(pairing: Pairing): Promise<void> {
    await this.routes.setPush(pairing, { kind: 'none' });
    delete pairing.pushed;
    await this.keep(pairing);
  }

  /** Takes away what was shown: the person looks at the requests themselves. */
  async clear(): Promise<void> {
    const registration = await navigator.serviceWorker?.getRegistration();
    const shown = await registration?.getNotifications?.() ?? [];
    for (const one of shown) one.close();
  }
}

// A browser that keeps nothing here asks each time the app is opened, which is a nuisance and no harm.
function wanted(): string | null {
  try {
    return localStorage.getItem(WANTED);
  } catch {
    return null;
  }
}

function want(what: 'on' | 'off'): void {
  try {
    localStorage.setItem(WANTED, what);
  } catch {
    // Said above.
  }
}

function registered(): Promise<ServiceWorkerRegistration> {
  const late = new Promise<never>((_, reject) => {
    setTimeout(() => reject(new Error('no service worker')), PATIENCE);
  });
  return Promise.race([navigator.serviceWorker.ready, late]);
}
