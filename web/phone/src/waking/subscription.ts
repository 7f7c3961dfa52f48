// The browser's push subscription: one for all pairings, told to the server for each of them. Used by the page and by the
// service worker.

import { base64url } from '../server/encoding.js';
import type { Routes } from '../server/routes.js';
import type { Pairing } from '../pairing/vault.js';

/** The subscription for the server's key; one for another key, or of this `dead` endpoint, is given up. */
export async function subscribe(registration: ServiceWorkerRegistration, key: string, dead?: string): Promise<PushSubscription> {
  const { pushManager } = registration;
  const kept = await pushManager.getSubscription();
  const keptFor = kept?.options.applicationServerKey;
  if (kept && keptFor && base64url(new Uint8Array(keptFor)) === key && kept.endpoint !== dead) return kept;
  await kept?.unsubscribe();
  return pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
}

/** Tells the server where this phone is woken, and notes in the pairing what was told. */
export async function tell(routes: Routes, pairing: Pairing, subscription: PushSubscription, key: string): Promise<void> {
  await routes.setPush(pairing, { kind: 'web_push', subscription: subscription.toJSON(), key });
  pairing.pushed = subscription.endpoint;
}
