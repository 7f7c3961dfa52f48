// Notifications: offered once after pairing, turned on and off here. The browser is asked from a tap alone.

import { html } from '../../../widget/src/dom.js';
import type { Context } from '../context.js';
import { actions, button, paragraph } from '../view/view.js';
import { failed, told } from './problem.js';
import { checking } from './checking.js';

/** What the first screen offers until the person has said yes or not now. */
export function notifyCard(context: Context, gone: () => void): HTMLElement {
  const { t, waking } = context;
  return html('section', { class: 'card stack', 'aria-label': t.notifyTitle },
    html('strong', {}, t.notifyOffer[0]),
    paragraph(t.notifyOffer[1], 'quiet small'),
    actions(
      button('', t.notifyTurnOn, () => void turnOn(context)),
      button('plain', t.notNow, () => {
        waking.notNow();
        gone();
      })));
}

export function showNotifications(context: Context): void {
  const { t, view, waking } = context;
  const { state } = waking;
  const [title, text] = state === 'on' ? t.notifyOn : state === 'blocked' ? t.notifyBlocked : t.notifyOffer;
  view.show(told('notifications', [title, text], state === 'blocked' ? 'warning' : 'inbox', [
    state === 'off' && button('primary', t.notifyTurnOn, () => void turnOn(context)),
    state === 'on' && button('', t.notifyTurnOff, () => void turnOff(context)),
    button(state === 'on' ? 'plain' : '', t.back, () => context.home()),
  ]));
}

async function turnOn(context: Context): Promise<void> {
  const { t, view, waking } = context;
  try {
    await waking.turnOn(context.pairings());
    showNotifications(context);
  } catch (error) {
    console.warn('not woken by notifications', error);
    view.show(told('failed', [t.failedTitle, t.notifyFailed], 'warning', [
      button('primary', t.tryAgain, () => void turnOn(context)),
      button('', t.back, () => context.home()),
    ]));
  }
}

async function turnOff(context: Context): Promise<void> {
  const isHere = checking(context);
  try {
    await context.waking.turnOff(context.pairings());
    if (isHere()) showNotifications(context);
  } catch (error) {
    if (isHere()) failed(context, error, () => void turnOff(context));
  }
}
