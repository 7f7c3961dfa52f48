// One site: the person's phones there, their face, and how to leave.

import { html } from '../../../widget/src/dom.js';
import { isUnpaired } from '../server/api.js';
import type { Context } from '../context.js';
import type { Device, Own, PastSignOn } from '../server/routes.js';
import { learn } from '../pairing/pairing.js';
import type { Pairing } from '../pairing/vault.js';
import { actions, button, paragraph } from '../view/view.js';
import { ago, fill } from '../view/words.js';
import { checking } from './checking.js';
import { enrol } from './enrol.js';
import { showErase } from './erase.js';
import { failed, told } from './problem.js';
import { recentSignOns } from './recent.js';

export function showSite(context: Context, pairing: Pairing): void {
  if (pairing.lost) return showLost(context, pairing);
  const { routes } = context;
  const isHere = checking(context, pairing.site.name);
  void Promise.all([routes.own(pairing), routes.recent(pairing)]).then(async ([own, recent]) => {
    await context.keep(learn(pairing, own));
    if (isHere()) show(context, pairing, own, recent);
  }).catch((error: unknown) => {
    if (!isHere()) return;
    if (isUnpaired(error)) showLost(context, pairing);
    else failed(context, error, () => showSite(context, pairing));
  });
}

function show(context: Context, pairing: Pairing, own: Own, recent: PastSignOn[]): void {
  const { t, view } = context;
  view.show({
    name: 'site',
    title: pairing.site.name,
    nodes: [
      pairing.site.name !== pairing.site.domain && html('p', { class: 'quiet', dir: 'ltr' }, pairing.site.domain),
      !own.face_enrolled && html('p', { class: 'notice warn' }, t.faceMissing),
      pairing.standing === 'waiting' && html('p', { class: 'notice warn' }, t.unconfirmedText),
      html('section', { class: 'stack' },
        html('h2', {}, t.devices),
        html('ul', { class: 'cards' }, ...own.devices.map((device) => html('li', {}, deviceCard(context, pairing, device))))),
      pairing.standing !== 'waiting' && recentSignOns(context, recent, own.devices),
      actions(
        button(own.face_enrolled ? '' : 'primary', own.face_enrolled ? t.scanAgain : t.enrolTitle, () => void enrol(context, pairing)),
        button('', t.erase, () => showErase(context, pairing)),
        button('plain', t.back, () => context.home())),
    ],
  });
}

/** A phone that someone paired: only the person knows whether it was them. */
function newPhoneCard(context: Context, pairing: Pairing, device: Device): HTMLElement {
  const { t } = context;
  return html('div', { class: 'card stack' },
    html('strong', { dir: 'auto' }, device.name),
    html('p', { class: 'notice warn' }, t.newPhoneText),
    actions(
      button('primary', t.confirmPhone, () => void confirm(context, pairing, device)),
      button('', t.refusePhone, () => void unpair(context, pairing, device))));
}

async function confirm(context: Context, pairing: Pairing, device: Device): Promise<void> {
  const isHere = checking(context);
  try {
    await context.routes.confirm(pairing, device.device_id);
    if (isHere()) showSite(context, pairing);
  } catch (error) {
    if (isHere()) failed(context, error, () => void confirm(context, pairing, device));
  }
}

function deviceCard(context: Context, pairing: Pairing, device: Device): HTMLElement {
  if (device.standing === 'waiting' && !device.this) return newPhoneCard(context, pairing, device);
  const { t, language, routes } = context;
  const seen = fill(t.lastSeen, { ago: ago(Date.parse(device.last_seen_at), routes.api.now(), language, t.ago) });
  return html('div', { class: 'card split' },
    html('div', {},
      html('strong', { dir: 'auto' }, device.name),
      html('p', { class: 'quiet small' }, device.this ? t.thisDevice : seen)),
    button('', device.this ? t.unpairThis : t.unpair, () => askToUnpair(context, pairing, device)));
}

function askToUnpair(context: Context, pairing: Pairing, device: Device): void {
  const { t, view } = context;
  view.show({
    name: 'unpair',
    title: device.this ? t.unpairThis : t.unpair,
    nodes: [
      paragraph(fill(t.unpairText, { name: device.name, site: pairing.site.name }), 'lead'),
      actions(
        button('danger', t.unpair, () => void unpair(context, pairing, device)),
        button('', t.cancel, () => showSite(context, pairing))),
    ],
  });
}

async function unpair(context: Context, pairing: Pairing, device: Device): Promise<void> {
  const isHere = checking(context);
  try {
    // Where the answer to an earlier try was lost, it is unpaired already.
    await context.routes.unpair(pairing, device.device_id).catch((error: unknown) => {
      if (!device.this || !isUnpaired(error)) throw error;
    });
    if (device.this) await context.drop(pairing);
    if (!isHere()) return;
    if (!device.this) return showSite(context, pairing);
    const { t } = context;
    context.view.show(told('unpaired', [t.unpaired[0], fill(t.unpaired[1], { site: pairing.site.name })], 'good',
      [button('primary', t.done, () => context.home())]));
  } catch (error) {
    if (isHere()) failed(context, error, () => void unpair(context, pairing, device));
  }
}

function showLost(context: Context, pairing: Pairing): void {
  const { t, view } = context;
  view.show(told('lost', [pairing.site.name, t.lostText], 'warning', [
    button('primary', t.forget, () => void context.drop(pairing).then(() => context.home())),
    button('', t.back, () => context.home()),
  ]));
}
