// <axiam-facial-login>: made at the first need, so that importing this file asks for no browser.

import { isDark, prefersDark } from './backdrop.js';
import { Controller } from './controller.js';
import type { State } from './machine.js';
import { Memory } from './memory.js';
import { addresses, fromAttributes, isWeb, problem, type Callback, type Options, type Theme } from './options.js';
import { LANGUAGES, pick } from './texts/index.js';
import { themeSheet } from './theme.js';
import { styleSheets, View } from './view.js';

export const TAG = 'axiam-facial-login';

/** What the element can do besides what every element can. */
export interface FacialLoginElement extends HTMLElement {
  /** Over the attributes; setting them starts the widget anew. */
  options: Partial<Options>;
  /** The state it is in. */
  readonly state: State['name'];
  /** Back to the beginning; takes back a request that waits. */
  reset(): void;
}

/** Where the script came from, for pages that do not name the server. */
export const origin = { ofScript: '' };

/** Defines the element; once, however often it is called or loaded. */
export function define(): CustomElementConstructor {
  const known = customElements.get(TAG);
  if (known) return known;
  const made = elementClass();
  customElements.define(TAG, made);
  return made;
}

/** The events of the element: `onStateChange` is `axiam-state-change`, with what the callback gets as `detail`. */
const eventName = (callback: Callback): string =>
  `axiam${callback.slice(2).replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

function elementClass(): CustomElementConstructor {
  return class AxiamFacialLogin extends HTMLElement implements FacialLoginElement {
    readonly #root: ShadowRoot;
    #options: Partial<Options> = {};
    #controller: Controller | null = null;
    #view: View | null = null;
    #before: State | null = null;

    constructor() {
      super();
      this.#root = this.attachShadow({ mode: 'open' });
      this.#root.adoptedStyleSheets = styleSheets();
    }

    get options(): Partial<Options> {
      return this.#options;
    }

    set options(options: Partial<Options>) {
      this.#options = options;
      if (this.#controller) {
        this.#leave();
        this.#start();
      }
    }

    get state(): State['name'] {
      return this.#controller?.state.name ?? 'idle';
    }

    connectedCallback(): void {
      // A framework sets properties around this moment; start with all of them.
      queueMicrotask(() => this.#start());
    }

    disconnectedCallback(): void {
      this.#leave();
    }

    reset(): void {
      this.#controller?.reset();
    }

    #start(): void {
      if (!this.isConnected || this.#controller) return;
      const options: Partial<Options> = { ...fromAttributes(this), ...this.#options };
      const wrong = problem(options, location.href);
      const language = pick(options.language, this.closest('[lang]')?.getAttribute('lang'), navigator.language);
      this.#dress(options.theme);
      const t = { ...LANGUAGES[language], ...(options.buttonText ? { send: options.buttonText } : {}), ...options.texts };
      const view = new View(this.#root, language, t, {
        submit: (email) => controller.dispatch({ type: 'submit', email }),
        cancel: () => controller.cancel(),
        again: () => controller.dispatch({ type: 'again' }),
        back: () => controller.dispatch({ type: 'back' }),
        proceed: () => controller.submit(),
        setUp: options.enrolUrl || options.onNoDevice ? () => this.#setUp(options, controller.state.email) : null,
      });
      const controller = new Controller(options, {
        root: this.#root,
        addresses: addresses(wrong ? {} : options, origin.ofScript || location.origin),
        language,
        target: { action: options.formAction ?? '', csrfField: options.csrfField ?? 'csrf_token', csrfToken: options.csrfToken },
        memory: new Memory(this.#place(options)),
        render: (state) => view.render(state),
        tick: (left, whole) => view.tick(left, whole),
        emit: (name, ...details) => this.#emit(options, name, details),
        now: () => Date.now(),
      }, this.#before);
      this.#view = view;
      this.#controller = controller;
      controller.start(wrong);
    }

    readonly #follow = (): void => {
      this.dataset.theme = isDark(this) ? 'dark' : 'light';
    };

    #leave(): void {
      prefersDark().removeEventListener('change', this.#follow);
      const state = this.#controller?.state;
      // What the person typed or read is still there when the element comes back; what was under way is not.
      this.#before = state && !['sending', 'pending', 'verified', 'submitted'].includes(state.name) ? state : null;
      this.#controller?.stop();
      this.#controller = null;
      this.#view?.remove();
      this.#view = null;
    }

    #dress(wanted: Options['theme']): void {
      const theme: Theme = typeof wanted === 'string' ? { mode: wanted } : wanted ?? {};
      const follows = theme.mode !== 'light' && theme.mode !== 'dark';
      this.dataset.theme = follows ? (isDark(this) ? 'dark' : 'light') : theme.mode;
      if (follows) prefersDark().addEventListener('change', this.#follow);
      const font = this.parentElement ? getComputedStyle(this.parentElement).fontFamily : '';
      this.#root.adoptedStyleSheets = [...styleSheets(), themeSheet(theme, font)];
    }

    #setUp({ enrolUrl, onNoDevice }: Partial<Options>, email: string): void {
      if (!enrolUrl) return onNoDevice?.(email);
      const address = typeof enrolUrl === 'function' ? enrolUrl(email) : enrolUrl;
      if (isWeb(address, location.href)) location.assign(address);
    }

    // Tells widgets of one page apart, also after a reload.
    #place({ formAction }: Partial<Options>): string {
      const name = this.id || this.parentElement?.id || String([...document.querySelectorAll(TAG)].indexOf(this));
      return `${formAction ?? ''}#${name}`;
    }

    // The callback, and the event of the same meaning; either may keep a verified form back.
    async #emit(options: Partial<Options>, name: Callback, details: unknown[]): Promise<unknown> {
      const event = new CustomEvent(eventName(name), { detail: details.length > 1 ? details : details[0], cancelable: name === 'onVerified' });
      const allowed = this.dispatchEvent(event);
      const answer = await (options[name] as ((...all: unknown[]) => unknown) | undefined)?.(...details);
      return allowed ? answer : false;
    }
  };
}
