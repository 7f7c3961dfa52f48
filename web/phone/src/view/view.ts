// What stands on the page: one screen at a time, and what screen readers are told meanwhile.

import { html } from '../../../widget/src/dom.js';

export interface Screen {
  /** For styles and tests. */
  name: string;
  title: string;
  nodes: (Node | null | false)[];
  /** The camera's picture fills the screen. */
  isImmersive?: boolean;
  /** Called when another screen takes the place. */
  leave?(): void;
}

/** Screens that "back" leaves the app from. */
const FIRST = ['home', 'welcome'];
const isFirst = ({ name }: Screen): boolean => FIRST.includes(name);

/** Whether "back" leads to the first screen. */
export const isDeep = (): boolean => (history.state as { deep?: boolean } | null)?.deep === true;

export class View {
  readonly #main = html('main', { id: 'content' });
  readonly #live = html('p', { class: 'visually-hidden', role: 'status' });
  readonly #ears: (() => void)[] = [];
  #screen: Screen | null = null;

  constructor(private readonly root: HTMLElement, private readonly appName: string) {
    root.replaceChildren(this.#main, this.#live);
  }

  get screen(): string {
    return this.#screen?.name ?? '';
  }

  show(screen: Screen): void {
    const before = this.#screen;
    // The phone's own "back" leads to the first screen, not out of the app.
    if (before && isFirst(before) && !isFirst(screen) && !isDeep()) history.pushState({ deep: true }, '');
    this.#screen = screen;
    before?.leave?.();
    const heading = html('h1', { tabindex: -1 }, screen.title);
    const fresh = html('main', { id: 'content', class: screen.isImmersive ? 'immersive' : 'page narrow' });
    fresh.append(heading, ...screen.nodes.filter((node): node is Node => !!node));
    this.#main.isConnected ? this.#main.replaceWith(fresh) : this.root.querySelector('main')?.replaceWith(fresh);
    this.root.dataset.screen = screen.name;
    document.title = `${screen.title} · ${this.appName}`;
    this.#live.textContent = '';
    scrollTo(0, 0);
    // Whoever listens hears the new title; the first screen is read by itself.
    if (before) heading.focus({ preventScroll: true });
    for (const told of this.#ears) told();
  }

  /** Whether this very screen is the one that is shown. */
  isShown(screen: Screen): boolean {
    return this.#screen === screen;
  }

  /** Told whenever a screen has taken the place of another. */
  onShow(told: () => void): void {
    this.#ears.push(told);
  }

  /** Says a sentence to those who listen; a screen's own words need none. */
  say(sentence: string): void {
    if (this.#live.textContent !== sentence) this.#live.textContent = sentence;
  }
}

export const button = (kind: string, words: string, press: () => void): HTMLButtonElement =>
  html('button', { type: 'button', class: kind, onclick: press }, words);

/** A sentence of whatever language, with its own direction. */
export const paragraph = (words: string, kind = ''): HTMLElement => html('p', { class: kind || null, dir: 'auto' }, words);

export const actions = (...buttons: (HTMLElement | null | false)[]): HTMLElement => html('div', { class: 'actions' }, ...buttons);
