// When a picture is taken and what the person is told meanwhile. Pure: told of each look at the camera, it says what to do.

import type { CameraProblem } from './camera.js';
import type { Measures } from './measure.js';
import type { Action, Challenge } from './routes.js';

export type Hint = 'tooDark' | 'tooBright' | 'holdStill';

/** Most photos of one answer, and of one step; the server takes no more. */
export const MOST_PHOTOS = 12;
const MOST_A_STEP = 3;

/** Mean luma of a face that can be told apart, from and to; the server's own limits lie farther out. */
const DARK = 45;
const BRIGHT = 225;
/** Variance of the Laplacian below which a picture of 120 × 160 is blurred. */
const BLURRED = 12;
/** Luma under which a whole picture is black, which is 16 in video: the camera is covered, or an app stands in front of it. */
const BLACK = 24;

/** Milliseconds. A hint stays this long, so that it can be read and a screen reader can finish. */
const HINT_STAYS = 2_000;
/** Milliseconds after which a picture is taken although it is dark or blurred: the server judges. */
const PATIENCE = 6_000;
/** Milliseconds of a black, or of an utterly unmoved picture after which the camera is at fault. */
const LIFELESS = 3_000;

/** Milliseconds a person needs from reading what to do to doing it. */
const SETTLE: Record<Action, number> = {
  look_straight: 900, turn_left: 1_700, turn_right: 1_700, look_up: 1_600, blink: 900, open_mouth: 1_300, come_closer: 2_000,
};
/** Milliseconds from one photo of a step to the next. Lids are closed for 150 to 400 ms. */
const GAP: Record<Action, number> = {
  look_straight: 300, turn_left: 400, turn_right: 400, look_up: 400, blink: 280, open_mouth: 350, come_closer: 400,
};

export interface Advice {
  /** Which step the person is at. */
  step: number;
  hint: Hint | null;
  /** Take a photo of this step now. */
  shoot: string | null;
  /** 0 to 1. */
  progress: number;
  isDone: boolean;
  problem: CameraProblem | null;
}

export class Guide {
  readonly #steps: Challenge['steps'];
  readonly #shots: number;
  #step = 0;
  #taken = 0;
  #takenOfStep = 0;
  #begun: number | null = null;
  #lastShot = -Infinity;
  #poorSince: number | null = null;
  #hint: Hint | null = null;
  #hintAt = -Infinity;
  #blackSince: number | null = null;
  #frozenSince: number | null = null;

  constructor(steps: Challenge['steps']) {
    this.#steps = steps;
    this.#shots = Math.min(MOST_A_STEP, Math.floor(MOST_PHOTOS / Math.max(1, steps.length)));
  }

  /** `at` rises, in milliseconds. */
  look(measures: Measures, at: number): Advice {
    this.#begun ??= at;
    const step = this.#steps[this.#step];
    if (!step) return this.#advice(null, null);
    const problem = this.#lifeless(measures, at);
    const poor = this.#poor(measures, step.action);
    this.#poorSince = poor ? this.#poorSince ?? at : null;
    this.#tell(poor, at);
    const isPatient = poor !== null && at - this.#poorSince! < PATIENCE;
    const isTime = at - this.#begun >= SETTLE[step.action] && at - this.#lastShot >= GAP[step.action];
    // The same picture twice shows nothing new, and the server would take it for a copy.
    const isNew = measures.change !== 0;
    if (problem || isPatient || !isTime || !isNew) return this.#advice(null, problem);
    this.#shot(at);
    return this.#advice(step.id, null);
  }

  #shot(at: number): void {
    this.#taken++;
    this.#takenOfStep++;
    this.#lastShot = at;
    if (this.#takenOfStep < this.#shots) return;
    this.#step++;
    this.#takenOfStep = 0;
    this.#begun = at;
  }

  #poor(measures: Measures, action: Action): Hint | null {
    if (measures.brightness < DARK) return 'tooDark';
    if (measures.brightness > BRIGHT) return 'tooBright';
    // Who moves as asked is blurred a little.
    return action === 'look_straight' && measures.sharpness < BLURRED ? 'holdStill' : null;
  }

  // The first hint comes at once; another one, or none, after it could be read.
  #tell(hint: Hint | null, at: number): void {
    if (hint === this.#hint || at - this.#hintAt < HINT_STAYS) return;
    this.#hint = hint;
    this.#hintAt = at;
  }

  #lifeless(measures: Measures, at: number): CameraProblem | null {
    this.#blackSince = measures.peak < BLACK ? this.#blackSince ?? at : null;
    // Every camera's picture has noise; one without any change at all is no camera's.
    this.#frozenSince = measures.change === 0 ? this.#frozenSince ?? at : null;
    if (this.#blackSince !== null && at - this.#blackSince >= LIFELESS) return 'black';
    if (this.#frozenSince !== null && at - this.#frozenSince >= LIFELESS) return 'frozen';
    return null;
  }

  #advice(shoot: string | null, problem: CameraProblem | null): Advice {
    const all = this.#shots * this.#steps.length;
    return {
      step: Math.min(this.#step, this.#steps.length - 1),
      hint: this.#hint,
      shoot,
      progress: all ? this.#taken / all : 1,
      isDone: this.#step >= this.#steps.length,
      problem,
    };
  }
}
