// When a picture is taken and what the person is told meanwhile. Pure: told of each look at the camera, it says what to do.

import type { CameraProblem } from './camera.js';
import type { Face } from '../engine/program.js';
import type { Measures } from './measure.js';
import { framing, more, OPEN, straightness, type FaceHint, type MoreHint } from './posture.js';
import type { Action, Challenge } from '../server/routes.js';

export type Hint = 'tooDark' | 'tooBright' | 'holdStill' | FaceHint;

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
/** The same for a step that the engine does not see done; it may be wrong about a person, and then is not believed as long. */
const STEP_PATIENCE = 12_000;
const LESS_PATIENCE = 5_000;
/** Milliseconds of a black, or of an utterly unmoved picture after which the camera is at fault. */
const LIFELESS = 3_000;
/** Milliseconds after which someone who is not done hears what is missing. */
const MISSING = 4_000;
/** Milliseconds from the first photo of a movement that the engine saw: what comes later shows its end. */
const LINGER = 700;
/** How far a movement is done, of what the server wants, for its first photo and for those that follow. */
const DONE = 1.1;
const STILL_DONE = 0.9;
/** The same for lids, which the engine sees in few pixels. Who closes them on purpose goes three times as far as the server asks. */
const CLOSED = 1.5;
/** A face that is so many times larger or smaller than in the look before is believed once another look says so too. Nobody
 *  comes or goes so fast, but the mesh can lie wrong for a moment, and then sees lids closed that are open. */
const LEAP = 1.2;
/** From here on the furthest look is kept in case nothing better comes, if it is this much further than the one before. The
 *  engine may measure a person too low: of what it saw, the best is still more than whatever comes when patience ends. */
const BEGUN = 0.2;
const FURTHER = 0.04;
/** What a look is worth in which something else that was asked is done more, as a part of one in which it is not. */
const NOT_ALONE = 0.8;
/** Below, the engine may be wrong about the person. */
const PARTLY = 0.6;
/** What the server counts like all of it; for more than that nobody is kept waiting as long. */
const ENOUGH = 0.8;
const ENOUGH_PATIENCE = 6_000;

/** Milliseconds a person needs from reading what to do to doing it, where no engine sees it done. */
const SETTLE: Record<Action, number> = {
  look_straight: 900, turn_left: 1_700, turn_right: 1_700, look_up: 1_600, blink: 900, open_mouth: 1_300, come_closer: 2_000,
};
/** The same where one does: the server wants 150 from step to step. */
const SETTLE_SEEN = 300;
/** Milliseconds from one photo of a step to the next. Lids are closed for 150 to 400 ms. */
const GAP: Record<Action, number> = {
  look_straight: 300, turn_left: 400, turn_right: 400, look_up: 400, blink: 280, open_mouth: 350, come_closer: 400,
};

export interface Advice {
  /** Which step the person is at. */
  step: number;
  hint: Hint | MoreHint | null;
  /** Take a photo of this step now. */
  shoot: string | null;
  /** The photo to take is a look straight ahead: steps are measured against it. */
  isStraight: boolean;
  /** It is the best so far of a movement that is not done yet: the next photo of the step replaces it. */
  isSpare: boolean;
  /** 0 to 1. */
  progress: number;
  isDone: boolean;
  problem: CameraProblem | null;
}

/** What an engine says of the step, if there is one. */
interface Judged {
  isReady: boolean;
  /** What the look is worth, in case nothing better comes: 0 if nothing. */
  spare?: number;
  /** 0 to 1. */
  way: number;
  hint: Hint | MoreHint | null;
}

export class Guide {
  readonly #steps: Challenge['steps'];
  readonly #shots: number;
  #step = 0;
  #taken = 0;
  #takenOfStep = 0;
  #begun: number | null = null;
  #firstShot = 0;
  #lastShot = -Infinity;
  #poorSince: number | null = null;
  #hint: Hint | MoreHint | null = null;
  #hintAt = -Infinity;
  #blackSince: number | null = null;
  #frozenSince: number | null = null;
  #patience = STEP_PATIENCE;
  /** What the spare photo of this step is worth. */
  #spare = 0;
  #progress = 0;
  /** Heights of the face: the last that was believed, and the last. */
  #believed: number | null = null;
  #before: number | null = null;

  constructor(steps: Challenge['steps']) {
    this.#steps = steps;
    this.#shots = Math.min(MOST_A_STEP, Math.floor(MOST_PHOTOS / Math.max(1, steps.length)));
  }

  /** `at` rises, in milliseconds. `face` is what the engine sees: null for nobody, undefined where there is no engine. */
  look(measures: Measures, at: number, face?: Face | null): Advice {
    this.#begun ??= at;
    const step = this.#steps[this.#step];
    if (!step) return this.#advice(null, null, 0);
    const problem = this.#lifeless(measures, at);
    const poor = this.#poor(measures, step.action);
    this.#poorSince = poor ? this.#poorSince ?? at : null;
    const judged = face === undefined ? null : this.#judge(step.action, face, at);
    this.#tell(poor ?? judged?.hint ?? null, at);
    const isPatient = poor !== null && at - this.#poorSince! < PATIENCE;
    const isTime = at - this.#begun >= (judged ? SETTLE_SEEN : SETTLE[step.action]) && at - this.#lastShot >= GAP[step.action];
    // The same picture twice shows nothing new, and the server would take it for a copy.
    const isNew = measures.change !== 0;
    if (problem || isPatient || !isTime || !isNew || judged?.isReady === false) {
      const isShown = judged && this.#takenOfStep && at - this.#firstShot >= LINGER && step.action !== 'look_straight';
      if (isShown || this.#isEnough(at)) this.#next(at);
      else if (judged?.spare && !problem && !isPatient && isNew) {
        this.#spare = judged.spare;
        return { ...this.#advice(step.id, null, judged.way), isSpare: true };
      }
      return this.#advice(null, problem, judged?.way ?? 0);
    }
    this.#shot(at);
    return { ...this.#advice(step.id, null, 0), isStraight: step.action === 'look_straight' };
  }

  // Whether what was kept of a movement will have to do.
  #isEnough(at: number): boolean {
    if (!this.#spare || this.#takenOfStep) return false;
    return at - this.#begun! >= (this.#spare >= ENOUGH ? Math.min(ENOUGH_PATIENCE, this.#patience) : this.#patience);
  }

  #judge(action: Action, face: Face | null, at: number): Judged {
    const waited = at - this.#begun!;
    const isBegun = this.#takenOfStep > 0;
    const isBelieved = this.#believe(face);
    // Who is not seen to do it is photographed all the same, and the server judges.
    if (waited >= this.#patience && !this.#spare) {
      this.#patience = isBegun ? this.#patience : LESS_PATIENCE;
      return { isReady: true, way: 1, hint: null };
    }
    if (!face) return { isReady: false, way: 0, hint: 'intoOval' };
    if (!isBelieved) return { isReady: false, way: 0, hint: null };
    if (action === 'look_straight') {
      const hint = framing(face) ?? straightness(face);
      return { isReady: !hint && face.eyes >= OPEN, way: hint ? 0 : 1, hint };
    }
    const way = face.ways[action];
    // What was asked before is over, or the server sees two things at once.
    const isAlone = this.#steps.every(({ action: other }) => other === action || other === 'look_straight' || face.ways[other] < way);
    const isReady = way >= (isBegun ? STILL_DONE : action === 'blink' ? CLOSED : DONE) && isAlone;
    const worth = isAlone ? way : NOT_ALONE * way;
    const isBetter = !isBegun && waited >= SETTLE_SEEN && worth >= Math.max(BEGUN, this.#spare + FURTHER);
    return { isReady, spare: isBetter ? worth : 0, way: Math.max(0, Math.min(1, way)), hint: waited >= MISSING && !isBegun ? more(action) : null };
  }

  #believe(face: Face | null): boolean {
    const isNear = (height: number | null): boolean =>
      height !== null && !!face && Math.max(face.height / height, height / face.height) <= LEAP;
    const isBelieved = this.#believed === null || isNear(this.#believed) || isNear(this.#before);
    this.#before = face?.height ?? null;
    if (isBelieved) this.#believed = this.#before;
    return isBelieved;
  }

  #shot(at: number): void {
    this.#taken++;
    if (!this.#takenOfStep) this.#firstShot = at;
    this.#takenOfStep++;
    this.#lastShot = at;
    if (this.#takenOfStep >= this.#shots) this.#next(at);
  }

  #next(at: number): void {
    if (this.#spare && !this.#takenOfStep && this.#spare < PARTLY) this.#patience = LESS_PATIENCE;
    this.#step++;
    this.#takenOfStep = 0;
    this.#spare = 0;
    this.#begun = at;
    // It was about what is over, and stands where the next step is to be read.
    this.#hint = null;
    this.#hintAt = -Infinity;
  }

  #poor(measures: Measures, action: Action): Hint | null {
    if (measures.brightness < DARK) return 'tooDark';
    if (measures.brightness > BRIGHT) return 'tooBright';
    // Who moves as asked is blurred a little.
    return action === 'look_straight' && measures.sharpness < BLURRED ? 'holdStill' : null;
  }

  // The first hint comes at once; another one, or none, after it could be read.
  #tell(hint: Hint | MoreHint | null, at: number): void {
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

  /** `way`: how far the person is with this step's movement. The ring never goes back. */
  #advice(shoot: string | null, problem: CameraProblem | null, way: number): Advice {
    const isDone = this.#step >= this.#steps.length;
    // Half for the movement, half for its photos.
    const ofStep = this.#takenOfStep ? 0.5 + this.#takenOfStep / this.#shots / 2 : way / 2;
    this.#progress = isDone ? 1 : Math.max(this.#progress, (this.#step + ofStep) / this.#steps.length);
    return {
      step: Math.min(this.#step, this.#steps.length - 1),
      hint: this.#hint,
      shoot,
      isStraight: false,
      isSpare: false,
      progress: this.#progress,
      isDone,
      problem,
    };
  }
}
