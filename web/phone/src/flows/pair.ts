// A code was opened or scanned: pair this phone with the site that showed it.

import { html } from '../../../widget/src/dom.js';
import type { Context } from '../context.js';
import { leavesEnough, NothingPaired, pair, tokenIn } from '../pairing/pairing.js';
import type { Action } from '../server/routes.js';
import { deviceName } from '../surroundings.js';
import { actions, button, paragraph } from '../view/view.js';
import { fill } from '../view/words.js';
import { Refused } from '../server/api.js';
import { askConsent } from './enrol.js';
import { checking } from './checking.js';
import { copyLink, failed, told } from './problem.js';

const CODE_INVALID = 1051;

/** Takes up an enrolment token, unless what is paired here would be lost with this window. */
export function offerPairing(context: Context, token: string): void {
  const { t, around, view } = context;
  if (!around.isSecure) return view.show(told('insecure', t.insecure, 'warning', [copyLink(context)]));
  if (around.isInApp) return view.show(told('in-app', t.inApp, 'warning', [copyLink(context)]));
  // A tab and the app on the home screen share no storage: what is paired in the one is unknown to the other.
  if (around.isIos && !around.isInstalled) return showInstall(context);
  askToPair(context, token);
}

export function showInstall(context: Context): void {
  const { t, view } = context;
  const steps = html('ol', {}, ...t.installSteps.map((step) => html('li', {}, step)));
  view.show(told('install', t.install, 'phone', [button('', t.back, () => leave(context))], [steps]));
}

function askToPair(context: Context, token: string): void {
  const { t, view, routes } = context;
  const name = html('input', { id: 'name', name: 'name', maxlength: 100, autocomplete: 'off', value: deviceName(navigator.userAgent) });
  const { element: cannot, chosen } = limits(context);
  const problem = html('p', { class: 'error', role: 'alert', hidden: true }, t.cannotTooMuch);
  const submit = (event: Event): void => {
    event.preventDefault();
    const without = chosen();
    problem.hidden = leavesEnough(without);
    if (problem.hidden) void register(context, token, name.value.trim() || deviceName(navigator.userAgent), without);
  };
  view.show({
    name: 'pair',
    title: t.pairTitle,
    nodes: [
      paragraph(t.pairText, 'lead'),
      html('dl', { class: 'facts' }, html('dt', {}, t.pairServer), html('dd', {}, new URL(routes.api.origin).host)),
      html('form', { class: 'stack', onsubmit: submit },
        html('div', { class: 'field' }, html('label', { for: 'name' }, t.nameLabel), name),
        cannot, problem,
        actions(html('button', { type: 'submit', class: 'primary' }, t.pair), button('', t.notNow, () => leave(context)))),
    ],
  });
}

/** What someone cannot do: asked here, once, because it is kept with the pairing. */
function limits({ t }: Context): { element: HTMLElement; chosen(): Action[] } {
  const boxes = Object.entries(t.movements).map(([action, words]) => {
    const box = html('input', { type: 'checkbox', name: 'without', value: action });
    return { action: action as Action, box, line: html('label', { class: 'choice' }, box, words) };
  });
  const element = html('details', {},
    html('summary', {}, t.cannotTitle),
    html('fieldset', { class: 'stack' },
      html('legend', { class: 'visually-hidden' }, t.cannotTitle),
      paragraph(t.cannotText, 'quiet small'), ...boxes.map(({ line }) => line)));
  return { element, chosen: () => boxes.filter(({ box }) => box.checked).map(({ action }) => action) };
}

async function register(context: Context, token: string, name: string, without: Action[]): Promise<void> {
  const { t, vault, routes } = context;
  const isHere = checking(context, t.pairing);
  try {
    const pairing = await pair({ vault, routes, now: () => routes.api.now() }, token, name, without);
    forgetToken();
    await context.keep(pairing);
    void context.learn(pairing.id);
    if (!isHere()) return context.view.screen === 'welcome' ? context.home() : undefined;
    navigator.vibrate?.(30);
    const [title, text] = pairing.standing === 'waiting' ? t.pairedWaiting : t.paired;
    const paired: [string, string] = [title, fill(text, { site: pairing.site.name })];
    context.view.show(told('paired', paired, 'good', pairing.faceEnrolled && pairing.standing !== 'waiting'
      ? [button('primary', t.done, () => context.home())]
      : [button('primary', t.enrolTitle, () => askConsent(context, pairing)), button('', t.notNow, () => context.home())]));
  } catch (error) {
    const isOver = error instanceof NothingPaired ? error.isCodeSpent : error instanceof Refused && error.code === CODE_INVALID;
    if (isOver) forgetToken();
    if (isHere()) failed(context, error, isOver ? null : () => askToPair(context, token));
  }
}

function leave(context: Context): void {
  forgetToken();
  context.home();
}

/** The token leaves the address once it is of no more use: it shall not stay in the history. */
function forgetToken(): void {
  if (tokenIn(location.hash)) history.replaceState(history.state, '', location.pathname);
}
