// A sign-on that waits: who asks, from where, since when; yes with number and face, or no.

import { html } from '../../../widget/src/dom.js';
import { Refused, Unreachable } from '../server/api.js';
import type { Context } from '../context.js';
import type { PastSignOn, SignOn } from '../server/routes.js';
import { twice } from '../server/twice.js';
import type { Told } from '../texts/index.js';
import type { Pairing } from '../pairing/vault.js';
import type { Entry } from '../inbox/waiting.js';
import { actions, button } from '../view/view.js';
import { ago, asker, countdown, explain, fill } from '../view/words.js';
import { capture, type Captured } from './capture.js';
import { checking } from './checking.js';
import { enrol } from './enrol.js';
import { codeLine, failed, told } from './problem.js';
import { numberChoice } from './number.js';

const NOT_ENROLLED = 1008;
const EXPIRED = 1030;
/** Answered or gone. */
const OVER = [1031, 1032];

/** One sign-on in the person's hands. The app tells it when the sign-on is over elsewhere. */
export class Answering {
  #isDecided = false;
  // Our own answer is under way: its reply says more than the cable, which may be faster.
  #isAnswering = false;
  // What we sent may have been heard although no reply came; null: nothing was sent.
  #sent: 'answer' | 'no' | 'report' | null = null;

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
    const isExpired = Date.parse(this.signOn.expires_at) <= this.context.routes.api.now();
    void this.#over(isExpired ? this.context.t.expired : this.context.t.over);
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
    const isHere = checking(context);
    this.#isAnswering = true;
    this.#sent = 'answer';
    try {
      await twice(() => context.routes.verify(this.pairing, this.id, nonce, number, captured.photos));
    } catch (error) {
      if (!isHere()) return undefined;
      // The same photos answer the same challenge: nobody has to pose again for a lost network.
      return error instanceof Unreachable ? failed(context, error, () => void this.#send(number, captured)) : this.#answered(error);
    } finally {
      this.#isAnswering = false;
    }
    this.#isDecided = true;
    // Who went back to the list meanwhile has nothing else in hand.
    if (isHere() || context.view.screen === 'home') this.#verified();
  }

  #verified(): void {
    navigator.vibrate?.(60);
    this.#end('verified', this.context.t.verified, 'good');
  }

  #answered(error: unknown): void {
    const isFinal = error instanceof Refused && error.details.attempts_left === 0;
    if (isFinal) this.#isDecided = true;
    this.#failed(error, isFinal ? null : () => this.show());
  }

  #failed(error: unknown, again: (() => void) | null): void {
    const { context, pairing } = this;
    const code = error instanceof Refused ? error.code : null;
    if (code === EXPIRED) return void this.#over(context.t.expired);
    if (code !== null && OVER.includes(code)) return void this.#over(context.t.over);
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
    const isHere = checking(context);
    this.#isAnswering = true;
    this.#sent = report ? 'report' : 'no';
    try {
      await twice(() => context.routes.deny(this.pairing, this.id, report));
      this.#isDecided = true;
      if (isHere()) this.#denied(report);
    } catch (error) {
      if (isHere()) this.#failed(error, () => void this.#deny(report));
    } finally {
      this.#isAnswering = false;
    }
  }

  #denied(isReport: boolean): void {
    const { t } = this.context;
    this.#end(isReport ? 'reported' : 'refused', isReport ? t.reported : t.refused, 'no');
  }

  /** It is over: by what this phone sent, if that was heard, and otherwise as `text` says. */
  async #over(text: Told): Promise<void> {
    const { context } = this;
    this.#isDecided = true;
    const before = context.view.screen;
    const verdict = this.#sent && await this.#verdict();
    // The person may have gone elsewhere meanwhile.
    if (context.view.screen !== before) return;
    if (verdict === 'verified') return this.#verified();
    if (verdict === 'denied') return this.#denied(this.#sent === 'report');
    if (verdict === 'failed') return this.#end('failed', [context.t.failedTitle, context.t.notAccepted], 'warning');
    this.#end('over', text, 'clock');
  }

  /** How the server says that this phone's answer ended it; null where it says nothing of the kind. */
  async #verdict(): Promise<PastSignOn['verdict'] | null> {
    const { context, pairing } = this;
    const past = await twice(() => context.routes.recent(pairing)).catch(() => []);
    return past.find((one) => one.sign_on_id === this.id && one.device_id === pairing.deviceId)?.verdict ?? null;
  }

  #end(name: string, [title, text]: Told, drawing: string): void {
    const { context } = this;
    const site = { site: this.signOn.site.name };
    context.inbox.waiting.remove(this.id);
    context.view.show(told(name, [fill(title, site), fill(text, site)], drawing, [button('primary', context.t.done, () => context.home())]));
  }
}
