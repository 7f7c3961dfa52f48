// Drawings of lines on a field of 24 by 24, and the head that shows a movement.

import { html, svg } from '../../../widget/src/dom.js';
import type { Action } from '../server/routes.js';

const GLYPHS: Record<string, string> = {
  phone: 'M8 2.5h8a1.5 1.5 0 0 1 1.5 1.5v16a1.5 1.5 0 0 1-1.5 1.5H8A1.5 1.5 0 0 1 6.5 20V4A1.5 1.5 0 0 1 8 2.5z M10.5 18.5h3',
  face: 'M3 7V5a2 2 0 0 1 2-2h2 M17 3h2a2 2 0 0 1 2 2v2 M21 17v2a2 2 0 0 1-2 2h-2 M7 21H5a2 2 0 0 1-2-2v-2 M9 9v1.5 M15 9v1.5 M12 9.5v3.5h-1 M9 15.5c1.7 1.4 4.3 1.4 6 0',
  good: 'M5 12.5l4.5 4.5L19 7.5',
  no: 'M12 3.5a8.5 8.5 0 1 0 0 17a8.5 8.5 0 0 0 0-17z M6 6l12 12',
  clock: 'M12 4a8 8 0 1 0 0 16a8 8 0 0 0 0-16z M12 8v4.5l3 2',
  warning: 'M12 4.5l8.5 15h-17z M12 10v4.5 M12 17v.1',
  camera: 'M4 7.5h3l1.5-2h7l1.5 2h3a1 1 0 0 1 1 1v9a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1v-9a1 1 0 0 1 1-1z M12 9.5a3.5 3.5 0 1 0 0 7a3.5 3.5 0 0 0 0-7z',
  inbox: 'M4 13.5l2.5-8h11l2.5 8v4.5a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1z M4 13.5h4.5l1 2h5l1-2H20',
};

export function glyph(name: string): HTMLElement {
  const drawing = svg('svg', { viewBox: '0 0 24 24', 'aria-hidden': 'true' }, svg('path', { d: GLYPHS[name] ?? '' }));
  return html('div', { class: `glyph ${name}` }, drawing);
}

const ARROWS: Partial<Record<Action, string>> = {
  // Left and right as in a mirror, which is how the person sees themselves.
  turn_left: 'M22 48H6 M12 41l-7 7l7 7',
  turn_right: 'M74 48h16 M84 41l7 7l-7 7',
  look_up: 'M48 16V4 M41 10l7-7l7 7',
};

/** A head doing what is asked; the style sheet moves it. */
export function movement(action: Action): HTMLElement {
  const arrow = ARROWS[action];
  const head = svg('svg', { viewBox: '0 0 96 96', 'aria-hidden': 'true' },
    svg('g', { class: 'head' },
      svg('ellipse', { cx: 48, cy: 50, rx: 22, ry: 29 }),
      svg('g', { class: 'features' },
        svg('ellipse', { class: 'eye', cx: 40, cy: 44, rx: 2.6, ry: 2.6 }),
        svg('ellipse', { class: 'eye', cx: 56, cy: 44, rx: 2.6, ry: 2.6 }),
        svg('path', { class: 'nose', d: 'M48 46v8h-3' }),
        svg('ellipse', { class: 'mouth', cx: 48, cy: 64, rx: 7, ry: 1.2 }))),
    arrow ? svg('path', { class: 'arrow', d: arrow }) : null);
  return html('div', { class: 'movement', 'data-action': action }, head);
}

/** The oval, the ring around it that fills, and what lies outside. `fill` takes 0 to 1. */
export function oval(): { element: SVGElement; fill(share: number): void } {
  // Begins at the top and goes clockwise.
  const line = 'M150 54a108 146 0 1 1-.01 0Z';
  const arc = svg('path', { d: line, class: 'arc', pathLength: 100, 'stroke-dasharray': '0 100' });
  const element = svg('svg', { class: 'oval', viewBox: '0 0 300 400', preserveAspectRatio: 'xMidYMid meet', 'aria-hidden': 'true' },
    // Far beyond the field, so that the shade reaches every edge of the screen.
    svg('path', {
      class: 'shade',
      'fill-rule': 'evenodd',
      d: 'M-2000-2000H2300V2400H-2000Z M42 200a108 146 0 1 0 216 0a108 146 0 1 0-216 0Z',
    }),
    svg('path', { d: line, class: 'track' }),
    arc);
  return {
    element,
    fill: (share) => arc.setAttribute('stroke-dasharray', `${100 * Math.min(1, share)} 100`),
  };
}
