// The engine as the app has it: asked for the face in a picture, and given up as soon as it would keep the person waiting.

import type { Answer, Asked } from './messages.js';
import type { Face } from './program.js';

/** Milliseconds that half of some looks may take at least; what is slower guides worse than nothing. One that the phone had other
 *  work at says nothing. */
const SLOW = 150;
/** How many these are. The first ones are slow everywhere: the browser still compiles. */
const LOOKS = 8;
const WARM_UP = 3;
/** Milliseconds after which a single look is not waited for any more. */
const STUCK = 1_500;
/** Milliseconds that a capture waits for an engine which is still on its way. */
const COMING = 1_500;

/** Where the page says that the engine's files are. */
export interface Files {
  worker: string;
  program: string;
  weights: string;
}

/** The files, where the server has them. */
export function files(): Files | null {
  const { engineWorker: worker, engine: program, engineWeights: weights } = document.querySelector<HTMLElement>('#app')?.dataset ?? {};
  return worker && program && weights ? { worker, program, weights } : null;
}

/** What of a worker is used, so that tests can stand in for one. */
export interface Worker {
  postMessage(asked: Asked, transfer?: Transferable[]): void;
  terminate(): void;
  onmessage: ((event: MessageEvent<Answer>) => void) | null;
  onerror: ((event: ErrorEvent) => void) | null;
}

export class Engine {
  #worker: Worker | null = null;
  #isGone = false;
  #isReady = false;
  #ready: Promise<void> | null = null;
  #tellReady: () => void = () => {};
  #tellFace: ((face: Face | null) => void) | null = null;
  readonly #took: number[] = [];
  #looks = 0;

  constructor(
    private readonly files: () => Files | null,
    private readonly start: (path: string) => Worker = (path) => new globalThis.Worker(path),
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Whether it says what it sees. */
  get isThere(): boolean {
    return this.#isReady && !this.#isGone;
  }

  /** Fetches and starts it, once. Resolves when it is there, or will not be, or after a while. */
  async prepare(): Promise<void> {
    this.#ready ??= this.#load();
    if (this.#isReady || this.#isGone) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const enough = new Promise<void>((resolve) => { timer = setTimeout(resolve, COMING); });
    await Promise.race([this.#ready, enough]);
    clearTimeout(timer);
  }

  /** Another capture begins. */
  begin(): void {
    this.#looks = 0;
    this.#took.length = 0;
    this.#ask({ kind: 'begin' });
  }

  /** The face in these pixels, which are handed over; null where there is none, undefined where there is no engine. */
  async look({ data, width, height }: ImageData): Promise<Face | null | undefined> {
    if (!this.isThere || this.#tellFace) return undefined;
    const begun = this.now();
    const seen = new Promise<Face | null | undefined>((resolve) => {
      const timer = setTimeout(() => this.#give(), STUCK);
      this.#tellFace = (face) => {
        clearTimeout(timer);
        resolve(this.#isGone ? undefined : face);
      };
    });
    this.#ask({ kind: 'look', pixels: data.buffer as ArrayBuffer, width, height }, [data.buffer as ArrayBuffer]);
    const face = await seen;
    this.#weigh(this.now() - begun);
    return this.#isGone ? undefined : face;
  }

  /** The last look was straight ahead and was photographed. */
  keepStraight(): void {
    this.#ask({ kind: 'straight' });
  }

  #load(): Promise<void> {
    const files = this.files();
    const ready = new Promise<void>((resolve) => { this.#tellReady = resolve; });
    try {
      if (!files) throw new Error('this server has no engine');
      const worker = this.#worker = this.start(files.worker);
      worker.onmessage = ({ data }) => this.#told(data);
      worker.onerror = () => this.#give();
      this.#ask({ kind: 'load', program: files.program, weights: files.weights });
    } catch {
      this.#give();
    }
    return ready;
  }

  #told(answer: Answer): void {
    if (answer.kind === 'failed') return this.#give();
    if (answer.kind === 'ready') {
      this.#isReady = true;
      return this.#tellReady();
    }
    const tell = this.#tellFace;
    this.#tellFace = null;
    tell?.(answer.face);
  }

  #weigh(took: number): void {
    if (++this.#looks <= WARM_UP) return;
    this.#took.push(took);
    if (this.#took.length > LOOKS) this.#took.shift();
    if (this.#took.filter((one) => one > SLOW).length > LOOKS / 2) this.#give();
  }

  // The app goes on by brightness and sharpness.
  #give(): void {
    this.#isGone = true;
    this.#worker?.terminate();
    this.#worker = null;
    this.#tellReady();
    const tell = this.#tellFace;
    this.#tellFace = null;
    tell?.(null);
  }

  #ask(asked: Asked, transfer: Transferable[] = []): void {
    this.#worker?.postMessage(asked, transfer);
  }
}
