// Pairing: the key is made, stored, read back and tried before the server hears of it.

import { Unreachable } from '../server/api.js';
import { generate, works } from '../server/proof.js';
import type { Action, Own, Routes } from '../server/routes.js';
import { twice } from '../server/twice.js';
import { VaultError, type Draft, type Pairing, type Vault } from './vault.js';

/** Real tokens are much longer; what is shorter is a fragment of some other kind. */
const SHORTEST_TOKEN = 10;

/** Of what a code says: the token of this server's link, 'elsewhere' for a link of another server, else null. */
export function readLink(text: string, origin: string): { token: string } | { elsewhere: string } | null {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return null;
  }
  const token = tokenIn(url.hash);
  if (!/^https?:$/.test(url.protocol) || !url.pathname.endsWith('/phone/') || !token) return null;
  return url.origin === origin ? { token } : { elsewhere: url.href };
}

/** The enrolment token in an address's fragment. */
export function tokenIn(hash: string): string | null {
  const token = hash.replace(/^#/, '');
  return token.length >= SHORTEST_TOKEN && /^[\w.~-]+$/.test(token) ? token : null;
}

/** What pairing needs could not be kept, and nobody takes this phone for paired. */
export class NothingPaired extends VaultError {
  override name = 'NothingPaired';

  constructor(readonly isCodeSpent: boolean, options?: ErrorOptions) {
    super('nothing was paired', options);
  }
}

/** The key that was shown to a server whose answer never came, and the code that it was shown with. */
let unheard: { token: string; key: Draft } | null = null;

/**
 * Pairs this phone.
 *
 * @throws NothingPaired where the key cannot be kept; the enrolment token is then not used, unless it was the server's answer that could
 *   not be kept. VaultError where the server could not be told of that.
 */
export async function pair(
  { vault, routes, now }: { vault: Vault; routes: Routes; now: () => number },
  token: string,
  name: string,
  without: Action[],
): Promise<Pairing> {
  const key = unheard?.token === token ? unheard.key : await stored(vault, { id: crypto.randomUUID(), ...await generate() });
  unheard = null;
  try {
    const registered = await twice(() => routes.register(key, token, name, without));
    const pairing: Pairing = {
      ...key,
      deviceId: registered.device_id,
      clientId: registered.client_id,
      token: registered.device_token,
      site: registered.site,
      consent: registered.consent,
      faceEnrolled: registered.face_enrolled,
      standing: registered.standing,
      pairedAt: now(),
    };
    await vault.put(pairing).catch((cause: unknown) => takeBack(routes, pairing, cause));
    // Asks the browser not to throw the key away when space runs short; it works without, too. Firefox asks the person, who may
    // leave that unanswered: nobody waits for it.
    void navigator.storage?.persist?.().catch(() => false);
    return pairing;
  } catch (error) {
    // Whoever tries again is the same phone for the server, which may have paired it.
    if (error instanceof Unreachable) unheard = { token, key };
    else await vault.remove(key.id).catch(() => {});
    throw error;
  }
}

/** The key as it is read back. */
async function stored(vault: Vault, draft: Draft): Promise<Draft> {
  try {
    await vault.put(draft);
    const key = await vault.get(draft.id);
    if (key && !key.privateKey.extractable && await works(key)) return key;
    throw new Error('the key is not kept as it was made');
  } catch (cause) {
    await vault.remove(draft.id).catch(() => {});
    throw new NothingPaired(false, { cause });
  }
}

/** The server knows a phone that cannot keep what it was given: it is told to forget it. */
async function takeBack(routes: Routes, pairing: Pairing, cause: unknown): Promise<never> {
  await routes.unpair(pairing, pairing.deviceId).catch(() => { throw cause; });
  throw new NothingPaired(true, { cause });
}

/** What the server says of this phone and of the person's others, put into what is kept. */
export function learn(pairing: Pairing, own: Own): Pairing {
  const others = own.devices.filter((device) => !device.this);
  return Object.assign(pairing, {
    faceEnrolled: own.face_enrolled,
    consent: own.consent,
    standing: own.devices.find((device) => device.this)?.standing,
    newPhone: others.some(({ standing }) => standing === 'waiting'),
    lost: false,
  });
}

/** The constraint of the server on what a person may leave out: a turn, and something that moves, remain. */
export function leavesEnough(without: Action[]): boolean {
  const can = (action: Action): boolean => !without.includes(action);
  return (can('turn_left') || can('turn_right') || can('look_up')) && (can('blink') || can('open_mouth'));
}
