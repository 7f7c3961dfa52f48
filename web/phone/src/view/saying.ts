// What is said to those who listen while they pose: one sentence in two seconds at most, and of several the newest.

/** Milliseconds in which a screen reader says a sentence. */
const SENTENCE = 2_000;

export class Saying {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #last = '';
  #next = '';

  constructor(private readonly say: (sentence: string) => void) {}

  /** Said at once, or when the one before was heard; what was to be said before that is not said any more. */
  tell(sentence: string): void {
    this.#next = sentence;
    if (this.#timer === undefined) this.#go();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #go(): void {
    this.#timer = undefined;
    if (this.#next === this.#last) return;
    this.#last = this.#next;
    this.say(this.#last);
    this.#timer = setTimeout(() => this.#go(), SENTENCE);
  }
}
