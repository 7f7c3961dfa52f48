// The dial above the words: a drawing for each state, the number to match, and how much time is left.

import { html, svg } from './dom.js';
import type { State, StateName } from './machine.js';

/** Drawings on a field of 24 by 24. */
const GLYPHS: Partial<Record<StateName, string>> = {
  // A face between the corners of a viewfinder.
  idle: 'M3 7V5a2 2 0 0 1 2-2h2 M17 3h2a2 2 0 0 1 2 2v2 M21 17v2a2 2 0 0 1-2 2h-2 M7 21H5a2 2 0 0 1-2-2v-2 M9 9v1.5 M15 9v1.5 M12 9.5v3.5h-1 M9 15.5c1.7 1.4 4.3 1.4 6 0',
  // A phone.
  sending: 'M8 2.5h8a1.5 1.5 0 0 1 1.5 1.5v16a1.5 1.5 0 0 1-1.5 1.5H8A1.5 1.5 0 0 1 6.5 20V4A1.5 1.5 0 0 1 8 2.5z M10.5 18.5h3',
  verified: 'M5 12.5l4.5 4.5L19 7.5',
  submitted: 'M5 12.5l4.5 4.5L19 7.5',
  // A cross: not this face. A barred circle: no.
  failed: 'M6.5 6.5l11 11 M17.5 6.5l-11 11',
  denied: 'M12 3.5a8.5 8.5 0 1 0 0 17a8.5 8.5 0 0 0 0-17z M6 6l12 12',
  expired: 'M12 4a8 8 0 1 0 0 16a8 8 0 0 0 0-16z M12 8v4.5l3 2',
  noDevice: 'M8 2.5h8a1.5 1.5 0 0 1 1.5 1.5v16a1.5 1.5 0 0 1-1.5 1.5H8A1.5 1.5 0 0 1 6.5 20V4A1.5 1.5 0 0 1 8 2.5z M10 12h4',
  error: 'M12 4.5l8.5 15h-17z M12 10v4.5 M12 17v.1',
};

/** The arc's share of the circle, 0 to 1, in states where it does not tell the time. */
const SHARE: Partial<Record<StateName, number>> = { sending: 0.25, verified: 1, submitted: 1 };

/** Digits with a thin space between them. */
export const spaced = (number: number): string => String(number).padStart(2, '0').split('').join('\u2009');

export class Ring {
  readonly element: HTMLElement;
  readonly #arc: SVGElement;
  #scanning = false;
  #centre: Element | null = null;

  constructor() {
    const circle = { cx: 60, cy: 60, r: 56, pathLength: 100 };
    this.#arc = svg('circle', { ...circle, class: 'arc', 'stroke-dasharray': '100 200', 'stroke-dashoffset': 100 });
    this.element = html('div', { class: 'ring' },
      svg('svg', { class: 'dial', viewBox: '0 0 120 120', 'aria-hidden': 'true' }, svg('circle', { ...circle, class: 'track' }), this.#arc));
  }

  /** Shows the drawing of a state that has just begun. */
  show(state: State): void {
    this.#scanning = false;
    this.#centre?.remove();
    this.#centre = state.name === 'pending' ? waiting(state.request.number) : glyph(GLYPHS[state.name] ?? '');
    this.element.append(this.#centre);
    this.share(state.name === 'pending' ? 1 : SHARE[state.name] ?? 0);
  }

  /** While the phone scans, a part of the circle turns and time is told by words alone. */
  scanning(on: boolean): void {
    this.#scanning = on;
    if (on) this.#fill(0.25);
  }

  /** Fills this share of the circle, 0 to 1. */
  share(share: number): void {
    if (!this.#scanning) this.#fill(share);
  }

  #fill(share: number): void {
    // A round cap draws a dot even on an arc of no length.
    this.#arc.setAttribute('visibility', share > 0 ? 'visible' : 'hidden');
    this.#arc.setAttribute('stroke-dashoffset', String(100 - 100 * Math.min(1, Math.max(0, share))));
  }
}

function glyph(path: string): SVGElement {
  return svg('svg', { class: 'glyph', viewBox: '0 0 24 24', 'aria-hidden': 'true' }, svg('path', { d: path }));
}

function waiting(number: number | null): Element {
  if (number === null) return glyph(GLYPHS.sending ?? '');
  return html('p', { class: 'number' },
    html('span', { 'aria-hidden': 'true' }, spaced(number)), html('span', { class: 'aside' }, String(number).padStart(2, '0')));
}
