// The guided capture: the camera's picture, an oval, one sentence at a time, and photos of each step of a challenge.

import { html } from '../../../widget/src/dom.js';
import { CameraError, open, type Camera } from '../capture/camera.js';
import type { Context } from '../context.js';
import { movement, oval } from '../view/drawings.js';
import type { Engine } from '../engine/engine.js';
import type { Photo } from '../server/form.js';
import { Guide, type Advice } from '../capture/guide.js';
import type { Challenge } from '../server/routes.js';
import { Saying } from '../view/saying.js';
import { Shots } from '../capture/shots.js';
import type { Texts } from '../texts/index.js';
import { button } from '../view/view.js';
import { fill } from '../view/words.js';

/** Milliseconds from one look at the picture to the next, and with an engine, which is to see a blink. */
const EVERY = 100;
const EVERY_SEEN = 60;

export interface Captured {
  challenge: Challenge;
  photos: Photo[];
}

/**
 * Opens the camera and has the person do what the challenge asks for. Call it from a tap. Null where the person cancels.
 *
 * @throws CameraError, and what `ask` throws.
 */
export async function capture(context: Context, ask: () => Promise<Challenge>): Promise<Captured | null> {
  const stage = new Stage(context);
  let camera: Camera | null = null;
  try {
    const opening = open(stage.video, 'user', context.around.isInApp);
    const asking = timed(ask);
    const preparing = context.engine.prepare();
    // Of two failures the camera's is told; the other one must not stay unheard.
    asking.catch(() => {});
    camera = await Promise.race([opening, stage.cancelled]);
    if (!camera) {
      void opening.then((late) => late.stop(), () => {});
      return null;
    }
    const asked = await Promise.race([asking, stage.cancelled]);
    if (!asked || await Promise.race([preparing, stage.cancelled]) === null) return null;
    return await photograph(context.engine, stage, camera, asked);
  } finally {
    camera?.stop();
    stage.stop();
  }
}

interface Asked {
  challenge: Challenge;
  /** When its answer's time began, by `performance.now()`. */
  since: number;
}

async function timed(ask: () => Promise<Challenge>): Promise<Asked> {
  const challenge = await ask();
  return { challenge, since: performance.now() };
}

async function photograph(engine: Engine, stage: Stage, camera: Camera, { challenge, since }: Asked): Promise<Captured | null> {
  const guide = new Guide(challenge.steps);
  const shots = new Shots(stage.video);
  let taking: { step: string; isSpare: boolean; photo: Promise<Photo> }[] = [];
  const gone = new Promise<never>((_, reject) => camera.onEnd(() => reject(new CameraError('ended'))));
  gone.catch(() => {});
  // One that comes in the middle has not seen the looks straight ahead.
  const isGuided = engine.isThere;
  engine.begin();
  for (;;) {
    const now = performance.now();
    const shot = shots.take();
    const face = isGuided ? await engine.look(shot.sight()) : undefined;
    const advice = guide.look(shot.measures, now, face);
    if (advice.problem) throw new CameraError(advice.problem);
    const { shoot: step, isSpare } = advice;
    if (step) {
      taking = taking.filter((other) => other.step !== step || !other.isSpare);
      taking.push({ step, isSpare, photo: shot.encode().then((jpeg) => ({ step, at: now - since, jpeg })) });
    }
    if (advice.isStraight) engine.keepStraight();
    const isSeen = isGuided && engine.isThere;
    stage.follow(advice, challenge, isSeen);
    if (advice.isDone) return { challenge, photos: await Promise.all(taking.map(({ photo }) => photo)) };
    const rest = isSeen ? Math.max(0, EVERY_SEEN - (performance.now() - now)) : EVERY;
    const pause = new Promise<true>((resolve) => setTimeout(() => resolve(true), rest));
    if (!await Promise.race([pause, gone, stage.cancelled])) return null;
  }
}

/** What is seen during a capture. */
class Stage {
  readonly video = html('video', { playsinline: true, autoplay: true, 'aria-hidden': 'true', tabindex: -1 });
  /** Resolves to null when the person leaves. */
  readonly cancelled: Promise<null>;
  readonly #stage = html('div', { class: 'stage' });
  readonly #oval = oval();
  readonly #sentence = html('p', { class: 'sentence', 'aria-hidden': 'true' });
  readonly #progress = html('p', { class: 'quiet small', 'aria-hidden': 'true' });
  readonly #drawing = html('div', { class: 'drawing' });
  readonly #saying: Saying;
  #cancel: () => void = () => {};
  #step = -1;
  #isOver = false;

  constructor(private readonly context: Context) {
    const { t, view } = context;
    // The attribute alone does not mute a video that a script makes.
    this.video.muted = true;
    this.#saying = new Saying((sentence) => view.say(sentence));
    this.cancelled = new Promise((resolve) => { this.#cancel = () => resolve(null); });
    this.#sentence.textContent = t.opening;
    this.#stage.append(this.video, this.#oval.element, button('cancel', t.cancel, this.#cancel));
    view.show({
      name: 'capture',
      title: t.opening,
      isImmersive: true,
      leave: () => this.#cancel(),
      nodes: [
        this.#stage,
        html('div', { class: 'panel' }, this.#drawing, this.#sentence, this.#progress),
      ],
    });
  }

  /** `isSeen`: an engine says what it sees. */
  follow(advice: Advice, challenge: Challenge, isSeen: boolean): void {
    const { t } = this.context;
    this.#stage.dataset.seen = String(isSeen);
    const step = challenge.steps[advice.step];
    if (!step || this.#isOver) return;
    if (advice.step !== this.#step) {
      if (this.#step >= 0) navigator.vibrate?.(30);
      this.#step = advice.step;
      this.#drawing.replaceChildren(movement(step.action));
      this.#progress.textContent = fill(t.progress, { step: advice.step + 1, steps: challenge.steps.length });
    }
    this.#oval.fill(advice.progress);
    const sentence = advice.hint ? hinted(t, advice.hint) : t.steps[step.action];
    if (this.#sentence.textContent === sentence) return;
    this.#sentence.textContent = sentence;
    this.#sentence.classList.toggle('warn', !!advice.hint);
    this.#saying.tell(sentence);
  }

  stop(): void {
    this.#isOver = true;
    this.#saying.stop();
    this.video.srcObject = null;
  }
}

/** What the server says of a step that was not done is said before as well. */
function hinted(t: Texts, hint: NonNullable<Advice['hint']>): string {
  const said: Record<string, string> = { ...t.reasons, ...t.hints };
  return said[hint] ?? '';
}
