// The engine as WebAssembly (crates/guide), called: bytes go into its room, numbers come out of its memory.

import type { Action } from '../server/routes.js';

/** In the order in which the engine numbers them. */
export const ACTIONS = [
  'look_straight', 'turn_left', 'turn_right', 'look_up', 'blink', 'open_mouth', 'come_closer',
] as const satisfies readonly Action[];
/** Numbers before those of the actions. */
const OF_THE_FACE = 6;

/** A face in one picture. */
export interface Face {
  /** Between hairline and chin, in parts of the picture's width and height. */
  x: number;
  y: number;
  /** From hairline to chin, in parts of the picture's height. */
  height: number;
  /** Turn to the side, degrees; positive to the person's own left. */
  yaw: number;
  /** Opening of the eyes, height over width; about 0.3 open, below 0.2 closed. */
  eyes: number;
  /** How far each action is done, against the looks straight ahead: 0 as there, 1 and more when done. */
  ways: Record<Action, number>;
}

interface Exports {
  memory: WebAssembly.Memory;
  guide_room(length: number): number;
  guide_load(): number;
  guide_begin(): void;
  guide_look(width: number, height: number): number;
  guide_keep_straight(): void;
  guide_seen(): number;
}

export class Program {
  private constructor(private readonly engine: Exports) {}

  /** @throws where the browser cannot run it, or the weights are not its own. */
  static async start(program: BufferSource, weights: Uint8Array): Promise<Program> {
    const { instance } = await WebAssembly.instantiate(program);
    const started = new Program(instance.exports as unknown as Exports);
    started.#put(weights);
    if (started.engine.guide_load() !== 1) throw new Error('the engine does not take its weights');
    return started;
  }

  /** Begins with another capture. */
  begin(): void {
    this.engine.guide_begin();
  }

  /** The face in a picture of RGBA pixels; null where none is seen. */
  look(pixels: Uint8Array, width: number, height: number): Face | null {
    this.#put(pixels);
    const told = this.engine.guide_look(width, height);
    if (told < 0) throw new Error('the engine cannot look at this picture');
    if (told === 0) return null;
    const numbers = new Float32Array(this.engine.memory.buffer, this.engine.guide_seen(), OF_THE_FACE + ACTIONS.length);
    const [, x = 0, y = 0, height_ = 0, yaw = 0, eyes = 0] = numbers;
    const ways = Object.fromEntries(ACTIONS.map((action, at) => [action, numbers[OF_THE_FACE + at]])) as Face['ways'];
    return { x, y, height: height_, yaw, eyes, ways };
  }

  /** The last look was straight ahead: steps are measured against such. */
  keepStraight(): void {
    this.engine.guide_keep_straight();
  }

  #put(bytes: Uint8Array): void {
    const at = this.engine.guide_room(bytes.length);
    new Uint8Array(this.engine.memory.buffer, at, bytes.length).set(bytes);
  }
}
