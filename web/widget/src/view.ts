// What stands in the shadow root: the ring, the panel of the state, and what screen readers are told.

import tokens from '../../style/tokens.css';

import { html } from './dom.js';
import type { State } from './machine.js';
import { panel, sentence, title, type Actions, type Panel } from './panels.js';
import { Ring } from './ring.js';
import type { Texts } from './texts/index.js';
import widget from './widget.css';

let shared: CSSStyleSheet[] | null = null;

/** The widget's style sheets, made once for all widgets of a page. */
export function styleSheets(): CSSStyleSheet[] {
  shared ??= [tokens, widget].map((text) => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
    return sheet;
  });
  return shared;
}

export class View {
  readonly #ring = new Ring();
  readonly #panel = html('div', { class: 'panel' });
  readonly #live = html('p', { class: 'aside', role: 'status' });
  readonly #widget: HTMLElement;
  #state: State | null = null;
  #current: Panel | null = null;

  constructor(private readonly root: ShadowRoot, language: string, private readonly t: Texts, private readonly actions: Actions) {
    const dir = language === 'ar' ? 'rtl' : 'ltr';
    this.#widget = html('div', { class: 'widget', lang: language, dir }, this.#ring.element, this.#panel, this.#live);
    root.replaceChildren(this.#widget);
  }

  render(state: State): void {
    const before = this.#state;
    this.#state = state;
    if (before?.name === state.name) {
      this.#current?.update?.(state);
    } else {
      this.#begin(state, before === null);
    }
    const scanning = state.name === 'pending' && state.scanning;
    this.#widget.toggleAttribute('data-scanning', scanning);
    if (state.name === 'pending') this.#ring.scanning(scanning);
    this.#tell(state, before);
  }

  /** How much is left of a request, in milliseconds, and of how much. */
  tick(left: number, whole: number): void {
    this.#current?.tick?.(left);
    if (this.#state?.name === 'pending') this.#ring.share(left / whole);
  }

  remove(): void {
    this.root.replaceChildren();
  }

  #begin(state: State, first: boolean): void {
    const focused = this.root.activeElement !== null;
    this.#widget.dataset.state = state.name;
    this.#ring.show(state);
    this.#current = panel(state, this.t, this.actions);
    // A fresh element, so that the new words fade in.
    const fresh = this.#panel.cloneNode(false) as HTMLElement;
    fresh.append(...this.#current.nodes);
    this.#widget.querySelector('.panel')?.replaceWith(fresh);
    // What had the focus is gone: it goes to the new title, or back to the field.
    if (focused && !first) fresh.querySelector<HTMLElement>(state.name === 'idle' ? '.input' : '.title')?.focus();
  }

  #tell(state: State, before: State | null): void {
    if (before === null && state.name === 'idle') return;
    if (state.name === 'idle') {
      this.#live.textContent = state.invalid ? this.t.emailInvalid : '';
      return;
    }
    const number = state.name === 'pending' && state.request.number !== null ? String(state.request.number).padStart(2, '0') : '';
    const begins = before?.name === state.name ? '' : `${title(state, this.t)} ${number}`.trim();
    const said = [begins, sentence(state, this.t)].filter(Boolean).join('. ');
    if (said && this.#live.textContent !== said) this.#live.textContent = said;
  }
}
