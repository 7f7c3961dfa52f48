// A sign-on that waits: who asks, from where, since when; yes with number and face, or no.

import { html } from '../../../widget/src/dom.js';
import { Refused, Unreachable } from '../api.js';
import type { Context } from '../context.js';
import type { SignOn } from '../routes.js';
import type { Told } from '../texts/index.js';
import type { Pairing } from '../vault.js';
import type { Entry } from '../waiting.js';
import { actions, button } from '../view.js';
import { ago, asker, countdown, explain, fill } from '../words.js';
import { capture, type Captured } from './capture.js';
import { checking } from './checking.js';
import { enrol } from './enrol.js';
import { codeLine, failed, told } from './problem.js';
import { numberChoice } from './number.js';

const NOT_ENROLLED = 1008;
const EXPIRED = 1030;
/** Answered or gone. */
const OVER = [1031, 1032];
/** Milliseconds before a lost answer is sent once more. */
const RESEND = 1_500;

/** One sign-on in the person's hands. The app tells it when the sign-on is over elsewhere. */
export class Answering {
  #isDecided = false;
  // Our own answer is under way: its reply says more than the cable, which may be faster.
  #isAnswering = false;

  constructor(
    private readonly context: Context,
    private readonly pairing: Pairing,
    private readonly signOn: SignOn,
  ) {}

  static of(context: Context, { pairing: id, signOn }: Entry): Answering | null {
    const pairing = context.pairings().find((one) => one.id === id);
    return pairing ? new Answering(context, pairing, signOn) : null;
  }

  get id(): string {
    return this.signOn.sign_on_id;
  }

  show(problem: HTMLElement | null = null): void {
    const { context, signOn } = this;
    const { t } = context;
    const remaining = html('p', { class: 'quiet small', role: 'timer' });
    const tick = (): void => {
      const left = Date.parse(signOn.expires_at) - context.routes.api.now();
      remaining.textContent = fill(t.remaining, { time: countdown(left) });
    };
    // It comes while the person reads.
    void context.engine.prepare();
    const ticking = setInterval(tick, 1_000);
    tick();
    context.view.show({
      name: 'answer',
      title: fill(t.askTitle, { site: signOn.site.name }),
      leave: () => clearInterval(ticking),
      nodes: [
        problem,
        this.#facts(),
        remaining,
        numberChoice(context, signOn, (number) => void this.#scan(number)),
        actions(
          button('', t.refuse, () => void this.#deny(false)),
          button('plain', t.notMe, () => void this.#deny(true)),
          button('plain', t.back, () => context.home())),
      ],
    });
  }

  /** The page took it back, its time is over, or another phone answered. */
  closed(): void {
    if (this.#isDecided || this.#isAnswering) return;
    this.#isDecided = true;
    const isExpired = Date.parse(this.signOn.expires_at) <= this.context.routes.api.now();
    this.#end('over', isExpired ? this.context.t.expired : this.context.t.over, 'clock');
  }

  #facts(): HTMLElement {
    const { t, language, routes } = this.context;
    const { signOn } = this;
    const browser = asker(signOn, t);
    const asked = Date.parse(signOn.requested_at);
    const when = html('time', { datetime: signOn.requested_at }, ago(asked, routes.api.now(), language, t.ago));
    return html('dl', { class: 'facts' },
      html('dt', {}, t.website), html('dd', {}, html('bdi', {}, signOn.site.domain)),
      html('dt', {}, t.browser), html('dd', { dir: 'auto' }, browser ?? t.unknown),
      html('dt', {}, t.place), html('dd', { dir: 'auto' }, signOn.place ?? t.unknown),
      html('dt', {}, t.time), html('dd', {}, when));
  }

  async #scan(number: number | null): Promise<void> {
    const { context } = this;
    try {
      const captured = await capture(context, () => context.routes.challenge(this.pairing, this.id));
      if (!captured) return this.#wasLeft() ? context.home() : undefined;
      await this.#send(number, captured);
    } catch (error) {
      if (this.#isDecided) return;
      this.#failed(error, () => void this.#scan(number));
    }
  }

  #wasLeft(): boolean {
    return !this.#isDecided && this.context.view.screen === 'capture';
  }

  async #send(number: number | null, captured: Captured): Promise<void> {
    const { context } = this;
    const { nonce } = captured.challenge;
    checking(context);
    this.#isAnswering = true;
    try {
      const send = (): Promise<void> => context.routes.verify(this.pairing, this.id, nonce, number, captured.photos);
      await send().catch(async (error: unknown) => {
        if (!(error instanceof Unreachable)) throw error;
        await new Promise((resolve) => setTimeout(resolve, RESEND));
        return send();
      });
    } catch (error) {
      // The same photos answer the same challenge: nobody has to pose again for a lost network.
      return error instanceof Unreachable ? failed(context, error, () => void this.#send(number, captured)) : this.#answered(error);
    } finally {
      this.#isAnswering = false;
    }
    this.#isDecided = true;
    navigator.vibrate?.(60);
    this.#end('verified', context.t.verified, 'good');
  }

  #answered(error: unknown): void {
    const isFinal = error instanceof Refused && error.details.attempts_left === 0;
    if (isFinal) this.#isDecided = true;
    this.#failed(error, isFinal ? null : () => this.show());
  }

  #failed(error: unknown, again: (() => void) | null): void {
    const { context, pairing } = this;
    const code = error instanceof Refused ? error.code : null;
    if (code === EXPIRED) return this.#over(context.t.expired);
    if (code !== null && OVER.includes(code)) return this.#over(context.t.over);
    if (code === NOT_ENROLLED) {
      const line = codeLine(context, code);
      return context.view.show(told('failed', [context.t.failedTitle, explain(error, context.t).sentence], 'face', [
        button('primary', context.t.enrolTitle, () => void enrol(context, pairing)), button('', context.t.back, () => context.home()),
      ], line ? [line] : []));
    }
    failed(context, error, again);
  }

  async #deny(report: boolean): Promise<void> {
    const { context } = this;
    checking(context);
    this.#isAnswering = true;
    try {
      await context.routes.deny(this.pairing, this.id, report);
      this.#isDecided = true;
      this.#end(report ? 'reported' : 'refused', report ? context.t.reported : context.t.refused, 'no');
    } catch (error) {
      this.#failed(error, () => void this.#deny(report));
    } finally {
      this.#isAnswering = false;
    }
  }

  #over(text: Told): void {
    this.#isDecided = true;
    this.#end('over', text, 'clock');
  }

  #end(name: string, [title, text]: Told, drawing: string): void {
    const { context } = this;
    const site = { site: this.signOn.site.name };
    context.inbox.waiting.remove(this.id);
    context.view.show(told(name, [fill(title, site), fill(text, site)], drawing, [button('primary', context.t.done, () => context.home())]));
  }
}
