// What the page and the engine's worker tell each other.

import type { Face } from './program.js';

export type Asked =
  | { kind: 'load'; program: string; weights: string }
  /** Another capture begins. */
  | { kind: 'begin' }
  /** RGBA pixels, handed over. */
  | { kind: 'look'; pixels: ArrayBuffer; width: number; height: number }
  /** The last look was straight ahead. */
  | { kind: 'straight' };

export type Answer =
  | { kind: 'ready' }
  | { kind: 'seen'; face: Face | null }
  /** It will not run here, or it broke: the app goes on without it. */
  | { kind: 'failed' };
