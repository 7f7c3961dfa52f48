// What every flow stands in.

import type { Inbox } from './inbox.js';
import type { Routes } from './routes.js';
import type { Surroundings } from './surroundings.js';
import type { Language, Texts } from './texts/index.js';
import type { Pairing, Vault } from './vault.js';
import type { View } from './view.js';

export interface Context {
  readonly t: Texts;
  readonly language: Language;
  readonly around: Surroundings;
  readonly routes: Routes;
  readonly vault: Vault;
  readonly inbox: Inbox;
  readonly view: View;
  /** The sites that this phone is paired with, the oldest first. */
  pairings(): Pairing[];
  /** Keeps a pairing as it is now. */
  keep(pairing: Pairing): Promise<void>;
  /** Forgets a pairing and its key. */
  drop(pairing: Pairing): Promise<void>;
  /** Shows what waits. */
  home(): void;
}
