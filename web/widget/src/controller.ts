// One widget at work: it takes events to the machine and does what a new state asks for.

import { Api, CallError } from './api.js';
import { post, type Target } from './form.js';
import { Listener } from './listener.js';
import { idle, next, pending, type Event, type Request, type State, type Verified } from './machine.js';
import type { Memory } from './memory.js';
import type { Addresses, Callback, Options } from './options.js';

/** Milliseconds after which the person is told to open the app. */
const SLOW = 30_000;
/** Milliseconds that the server's own "expired" may be late. */
const GRACE = 2_000;

/** What the controller stands in. */
export interface Surroundings {
  root: ShadowRoot;
  addresses: Addresses;
  language: string;
  target: Target;
  memory: Memory;
  render(state: State): void;
  tick(left: number, whole: number): void;
  /** Tells the page; false where a listener said no. */
  emit(name: Callback, ...details: unknown[]): unknown;
  now(): number;
}

export class Controller {
  #state: State;
  readonly #api: Api;
  #listener: Listener | null = null;
  #ticking: ReturnType<typeof setInterval> | undefined;
  // Counts what is asked of the server and the page; an answer to something older is not ours any more.
  #turn = 0;
  #stopped = false;

  constructor(private readonly options: Partial<Options>, private readonly around: Surroundings, before: State | null) {
    this.#api = new Api(around.addresses.api, options.authToken ?? '', around.language);
    const waiting = around.memory.recall(around.now());
    this.#state = waiting ? pending(waiting) : before ?? idle(options.email ?? '');
    addEventListener('online', this.#online);
    addEventListener('offline', this.#offline);
    addEventListener('pageshow', this.#shown);
    document.addEventListener('visibilitychange', this.#seen);
  }

  /** Shows the first state, or what a reload interrupted. */
  start(problem: string | null): void {
    if (problem) {
      this.#state = { name: 'error', email: '', fault: 'setup', message: '', code: null };
      this.#complain(new CallError('setup', problem), 'setup');
    }
    this.around.render(this.#state);
    if (this.#state.name === 'pending') this.#wait(this.#state.request);
    this.#emit('onReady');
  }

  get state(): State {
    return this.#state;
  }

  /** Leaves the page: closes the cable. A request that waits is found again by the next start. */
  stop(): void {
    this.#stopped = true;
    this.#turn++;
    this.#hush();
    removeEventListener('online', this.#online);
    removeEventListener('offline', this.#offline);
    removeEventListener('pageshow', this.#shown);
    document.removeEventListener('visibilitychange', this.#seen);
  }

  dispatch(event: Event): void {
    if (this.#stopped) return;
    const before = this.#state;
    const state = next(before, event);
    if (state === before) return;
    this.#state = state;
    if (before.name === state.name) return this.around.render(state);
    this.#debug(`${before.name} → ${state.name}`);
    if (before.name === 'pending') this.#leavePending(state);
    this.around.render(state);
    this.#emit('onStateChange', state.name, before.name);
    // The page may have led elsewhere by now.
    if (this.#state === state) this.#enter(state);
  }

  /** The person takes the request back. */
  cancel(): void {
    if (this.#state.name !== 'pending') return;
    this.#takeBack(this.#state.request.verificationToken);
    this.dispatch({ type: 'back' });
  }

  /** Back to the beginning, from anywhere. */
  reset(): void {
    if (this.#state.name === 'pending') this.#takeBack(this.#state.request.verificationToken);
    this.around.memory.forget();
    this.#turn++;
    this.dispatch({ type: 'reset', email: this.options.email ?? '' });
  }

  /** Posts the verified sign-on; before there is one, nothing. */
  submit(): void {
    if (this.#state.name !== 'verified' || this.#stopped) return;
    const { verified } = this.#state;
    this.around.memory.forget();
    this.dispatch({ type: 'submitted' });
    this.#emit('onSuccess', verified);
    post(this.around.root, this.around.target, verified);
  }

  #enter(state: State): void {
    const { email } = state;
    switch (state.name) {
      case 'sending':
        this.#emit('onSubmit', email);
        return void this.#send(email);
      case 'pending':
        this.around.memory.keep(state.request);
        this.#wait(state.request);
        return this.#emit('onPending', { email, number: state.request.number, expiresAt: new Date(state.request.expiresAt) });
      case 'verified':
        return void this.#verified(state.verified);
      case 'failed':
        return this.#emit('onFailed', { email, message: state.message, code: state.code });
      case 'denied':
        return this.#emit('onRejected', email);
      case 'expired':
        return this.#emit('onTimeout', email);
      case 'noDevice':
        // Where the page names an address, the person goes there by themselves.
        return this.options.enrolUrl ? undefined : this.#emit('onNoDevice', email);
      default:
    }
  }

  async #send(email: string): Promise<void> {
    const turn = ++this.#turn;
    try {
      const request = await this.#api.send(email, this.around.now);
      // Nobody waits for it any more: the phone should not ring on.
      if (turn !== this.#turn) return this.#takeBack(request.verificationToken);
      this.dispatch({ type: 'sent', request });
    } catch (error) {
      if (turn !== this.#turn) return;
      const call = error instanceof CallError ? error : new CallError('api', '');
      this.dispatch({ type: 'refused', fault: call.fault, message: call.message, code: call.code });
      if (this.#state.name === 'error') this.#complain(call, 'send');
    }
  }

  #wait(request: Request): void {
    this.#hush();
    this.#listener = new Listener(this.#api, this.around.addresses.cable, request.verificationToken, {
      heard: (message) => {
        this.#debug(`heard: ${message.status ?? 'a greeting'}`);
        this.dispatch({ type: 'heard', message });
      },
      gone: () => this.dispatch({ type: 'gone' }),
      connection: (up) => this.dispatch({ type: 'connection', up }),
      debug: (what) => this.#debug(what),
    });
    const tick = (): void => this.#tick(request);
    this.#ticking = setInterval(tick, 1000);
    tick();
  }

  #tick(request: Request): void {
    const now = this.around.now();
    const own = this.options.timeout;
    const end = own && own > 0 ? Math.min(request.expiresAt, request.sentAt + own) : request.expiresAt;
    this.around.tick(end - now, end - request.sentAt);
    if (now - request.sentAt >= SLOW && this.#state.name === 'pending' && !this.#state.slow) this.dispatch({ type: 'slow' });
    const late = end < request.expiresAt ? 0 : GRACE;
    if (now < end + late) return;
    if (end < request.expiresAt) this.#takeBack(request.verificationToken);
    this.dispatch({ type: 'gone' });
  }

  #leavePending(state: State): void {
    this.#hush();
    // A verified sign-on is kept until it is posted: a reload in between hears the verdict again.
    if (state.name !== 'verified') this.around.memory.forget();
  }

  async #verified(verified: Verified): Promise<void> {
    const turn = ++this.#turn;
    const verdict = await this.#ask('onVerified', verified);
    if (turn !== this.#turn || this.#state.name !== 'verified') return;
    if (verdict === false) {
      this.#debug('the page keeps the form back');
      this.around.memory.forget();
      return this.#emit('onSuccess', verified);
    }
    if (this.options.autoSubmit === false) return this.dispatch({ type: 'ask' });
    this.submit();
  }

  #takeBack(verificationToken: string): void {
    // Where this does not arrive the request expires by itself.
    this.#api.cancel(verificationToken).catch((error: unknown) => this.#debug(`cancel: ${String(error)}`));
  }

  #hush(): void {
    this.#listener?.close();
    this.#listener = null;
    clearInterval(this.#ticking);
  }

  #emit(name: Callback, ...details: unknown[]): void {
    void this.#ask(name, ...details);
  }

  // A page's mistake is the page's: it is told, and the widget goes on.
  async #ask(name: Callback, ...details: unknown[]): Promise<unknown> {
    try {
      return await this.around.emit(name, ...details);
    } catch (error) {
      console.error(`[axiam] ${name} threw`, error);
      return undefined;
    }
  }

  #complain(error: CallError, context: string): void {
    if (context === 'setup') console.error(`[axiam] ${error.message}`);
    this.#emit('onError', error, context);
  }

  #debug(what: string): void {
    if (this.options.debug) console.debug(`[axiam] ${what}`);
  }

  readonly #online = (): void => this.#listener?.nudge();
  readonly #offline = (): void => this.dispatch({ type: 'connection', up: false });
  readonly #seen = (): void => {
    if (document.visibilityState === 'visible') this.#listener?.nudge();
  };
  // Back from the page that took the form: what was posted is no longer to be posted.
  readonly #shown = (event: PageTransitionEvent): void => {
    if (event.persisted && (this.#state.name === 'verified' || this.#state.name === 'submitted')) this.reset();
  };
}
