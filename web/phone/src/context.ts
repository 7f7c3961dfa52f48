// What every flow stands in.

import type { Engine } from './engine/engine.js';
import type { Inbox } from './inbox/inbox.js';
import type { Routes } from './server/routes.js';
import type { Surroundings } from './surroundings.js';
import type { Language, Texts } from './texts/index.js';
import type { Pairing, Vault } from './pairing/vault.js';
import type { View } from './view/view.js';
import type { Waking } from './waking/waking.js';

export interface Context {
  readonly t: Texts;
  readonly language: Language;
  readonly around: Surroundings;
  readonly routes: Routes;
  readonly vault: Vault;
  readonly inbox: Inbox;
  readonly waking: Waking;
  readonly view: View;
  /** Sees what a person does in front of the camera. */
  readonly engine: Engine;
  /** The sites that this phone is paired with, the oldest first. */
  pairings(): Pairing[];
  /** Keeps a pairing as it is now. */
  keep(pairing: Pairing): Promise<void>;
  /** Asks the server how a pairing stands, and tells it how this phone is woken. */
  learn(id: string): Promise<void>;
  /** Forgets a pairing and its key; where the store fails, until the next start. */
  drop(pairing: Pairing): Promise<void>;
  /** Shows what waits. */
  home(): void;
}
