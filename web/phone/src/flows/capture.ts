// The guided capture: the camera's picture, an oval, one sentence at a time, and photos of each step of a challenge.

import { html } from '../../../widget/src/dom.js';
import { CameraError, open, type Camera } from '../camera.js';
import type { Context } from '../context.js';
import { movement, oval } from '../drawings.js';
import type { Photo } from '../form.js';
import { Guide, type Advice } from '../guide.js';
import type { Challenge } from '../routes.js';
import { Shots } from '../shots.js';
import { button } from '../view.js';
import { fill } from '../words.js';

/** Milliseconds from one look at the picture to the next. */
const EVERY = 100;

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
    // Of two failures the camera's is told; the other one must not stay unheard.
    asking.catch(() => {});
    camera = await Promise.race([opening, stage.cancelled]);
    if (!camera) {
      void opening.then((late) => late.stop(), () => {});
      return null;
    }
    const asked = await Promise.race([asking, stage.cancelled]);
    return asked && await photograph(stage, camera, asked);
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

async function photograph(stage: Stage, camera: Camera, { challenge, since }: Asked): Promise<Captured | null> {
  const guide = new Guide(challenge.steps);
  const shots = new Shots(stage.video);
  const taking: Promise<Photo>[] = [];
  const gone = new Promise<never>((_, reject) => camera.onEnd(() => reject(new CameraError('ended'))));
  gone.catch(() => {});
  for (;;) {
    const now = performance.now();
    const advice = guide.look(shots.look(), now);
    if (advice.problem) throw new CameraError(advice.problem);
    const step = advice.shoot;
    if (step) taking.push(shots.take().then((jpeg) => ({ step, at: now - since, jpeg })));
    stage.follow(advice, challenge);
    if (advice.isDone) return { challenge, photos: await Promise.all(taking) };
    const pause = new Promise<true>((resolve) => setTimeout(() => resolve(true), EVERY));
    if (!await Promise.race([pause, gone, stage.cancelled])) return null;
  }
}

/** What is seen during a capture. */
class Stage {
  readonly video = html('video', { playsinline: true, autoplay: true, 'aria-hidden': 'true', tabindex: -1 });
  /** Resolves to null when the person leaves. */
  readonly cancelled: Promise<null>;
  readonly #oval = oval();
  readonly #sentence = html('p', { class: 'sentence', 'aria-hidden': 'true' });
  readonly #progress = html('p', { class: 'quiet small', 'aria-hidden': 'true' });
  readonly #drawing = html('div', { class: 'drawing' });
  #cancel: () => void = () => {};
  #step = -1;
  #isOver = false;

  constructor(private readonly context: Context) {
    const { t, view } = context;
    // The attribute alone does not mute a video that a script makes.
    this.video.muted = true;
    this.cancelled = new Promise((resolve) => { this.#cancel = () => resolve(null); });
    this.#sentence.textContent = t.opening;
    view.show({
      name: 'capture',
      title: t.opening,
      isImmersive: true,
      leave: () => this.#cancel(),
      nodes: [
        html('div', { class: 'stage' }, this.video, this.#oval.element, button('cancel', t.cancel, this.#cancel)),
        html('div', { class: 'panel' }, this.#drawing, this.#sentence, this.#progress),
      ],
    });
  }

  follow(advice: Advice, challenge: Challenge): void {
    const { t, view } = this.context;
    const step = challenge.steps[advice.step];
    if (!step || this.#isOver) return;
    if (advice.step !== this.#step) {
      if (this.#step >= 0) navigator.vibrate?.(30);
      this.#step = advice.step;
      this.#drawing.replaceChildren(movement(step.action));
      this.#progress.textContent = fill(t.progress, { step: advice.step + 1, steps: challenge.steps.length });
    }
    this.#oval.fill(advice.progress);
    const sentence = advice.hint ? t.hints[advice.hint] : t.steps[step.action];
    if (this.#sentence.textContent === sentence) return;
    this.#sentence.textContent = sentence;
    this.#sentence.classList.toggle('warn', !!advice.hint);
    view.say(sentence);
  }

  stop(): void {
    this.#isOver = true;
    this.video.srcObject = null;
  }
}
