// The package's entrance. Importing it touches no browser; `init` and `define` do.

import { define, TAG, type FacialLoginElement } from './element.js';
import type { Options } from './options.js';

export { define } from './element.js';
export type { FacialLoginElement } from './element.js';
export type { StateName, Verified } from './machine.js';
export type { FailedInfo, Options, PendingInfo, Theme } from './options.js';
export type { Texts } from './texts/index.js';

/** A widget that `init` made. */
export interface Handle {
  /** Takes the widget off the page and closes its connection. */
  destroy(): void;
  /** Back to the beginning; takes back a request that waits. */
  reset(): void;
}

const DEFAULT_CONTAINER = '#axiam-facial-login';

/**
 * Puts a widget into its container, in place of one that is there already; a container that is the
 * element itself becomes the widget.
 *
 * @throws where the page has no such container.
 */
export function init(options: Options): Handle {
  define();
  let element: FacialLoginElement | null = null;
  let destroyed = false;
  const put = (): void => {
    if (destroyed) return;
    const container = find(options.container ?? DEFAULT_CONTAINER);
    if (container.matches(TAG)) {
      element = container as FacialLoginElement;
      element.options = options;
      return;
    }
    element = document.createElement(TAG) as FacialLoginElement;
    element.options = options;
    container.querySelectorAll(TAG).forEach((old) => old.remove());
    container.append(element);
  };
  // A script in the head runs before its container is there.
  const early = document.readyState === 'loading' && typeof options.container !== 'object'
    && !document.querySelector(options.container ?? DEFAULT_CONTAINER);
  if (early) document.addEventListener('DOMContentLoaded', put, { once: true });
  else put();
  return {
    destroy: () => {
      destroyed = true;
      element?.remove();
    },
    reset: () => element?.reset(),
  };
}

function find(container: string | Element): Element {
  const found = typeof container === 'string' ? document.querySelector(container) : container;
  if (!found) throw new Error(`AxiamFacialLogin: the page has no element ${String(container)}.`);
  return found;
}

declare global {
  interface HTMLElementTagNameMap {
    'axiam-facial-login': FacialLoginElement;
  }
}
