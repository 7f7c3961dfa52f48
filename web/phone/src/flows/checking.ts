// While the server is asked. It may take as long as two calls are waited for, so after a while there is a way back.

import { html } from '../../../widget/src/dom.js';
import type { Context } from '../context.js';
import { actions, button, paragraph, type Screen } from '../view/view.js';

/** Milliseconds. */
const SLOW = 5_000;

/** Tells whether the person still waits: who has gone on is not called back by what comes then. */
export function checking(context: Context, title = context.t.checking): () => boolean {
  const { t, view } = context;
  const wayBack = html('div', { class: 'stack', hidden: true },
    paragraph(t.slow, 'lead'), actions(button('', t.back, () => context.home())));
  const timer = setTimeout(() => {
    wayBack.hidden = false;
    view.say(t.slow);
  }, SLOW);
  const screen: Screen = {
    name: 'checking', title, leave: () => clearTimeout(timer), nodes: [html('div', { class: 'busy', 'aria-hidden': 'true' }), wayBack],
  };
  view.show(screen);
  return () => view.isShown(screen);
}
