// The first screen: what waits, the newest first, and the sites that this phone is paired with.

import { html } from '../../../widget/src/dom.js';
import type { Context } from '../context.js';
import { glyph } from '../drawings.js';
import type { Pairing } from '../vault.js';
import type { Entry } from '../waiting.js';
import { button, paragraph, type Screen } from '../view.js';
import { ago, asker, fill } from '../words.js';
import { scanCode } from './code.js';
import { notifyCard, showNotifications } from './notify.js';
import { showInstall } from './pair.js';
import { showSite } from './site.js';

export interface HomeActions {
  answer(entry: Entry): void;
  /** Null where the browser offers no installing. */
  install: (() => void) | null;
}

/** A phone that is paired with nobody. */
export function welcome(context: Context): Screen {
  const { t, around } = context;
  const next = around.isIos && !around.isInstalled ? () => showInstall(context) : () => void scanCode(context);
  return {
    name: 'welcome',
    title: t.welcome[0],
    nodes: [glyph('phone'), paragraph(t.welcome[1], 'lead'), html('div', { class: 'actions' }, button('primary', t.scanCode, next))],
  };
}

export function home(context: Context, does: HomeActions): Screen & { update(): void } {
  const { t, inbox, waking } = context;
  const list = html('ul', { class: 'cards', 'aria-label': t.inboxTitle });
  const empty = html('div', { class: 'empty' }, glyph('inbox'), html('h2', {}, t.inboxEmpty[0]), html('p', {}, t.inboxEmpty[1]));
  const offline = html('p', { class: 'notice warn', role: 'status' });
  const sites = html('ul', { class: 'cards' });
  const offer = waking.isNew ? notifyCard(context, () => offer?.remove()) : null;
  const update = (): void => {
    sites.replaceChildren(...context.pairings().map((pairing) => html('li', {}, siteCard(context, pairing))));
    const entries = inbox.waiting.list();
    list.replaceChildren(...entries.map((entry) => html('li', {}, card(context, entry, does))));
    list.hidden = !entries.length;
    empty.hidden = entries.length > 0;
    offline.hidden = inbox.isOnline;
    offline.textContent = inbox.isOnline ? '' : t.offline;
  };
  update();
  return {
    name: 'home',
    title: t.inboxTitle,
    update,
    nodes: [
      offline, list, empty, offer,
      html('section', { class: 'stack' },
        html('h2', {}, t.sites),
        sites,
        html('div', { class: 'row' },
          button('', t.scanCode, () => void scanCode(context)),
          does.install && button('plain', t.installNow, does.install),
          waking.state !== 'none' && button('plain', t.notifyTitle, () => showNotifications(context)))),
    ],
  };
}

function card(context: Context, entry: Entry, { answer }: HomeActions): HTMLElement {
  const { t, language, routes } = context;
  const { site, place, requested_at: at } = entry.signOn;
  const from = [asker(entry.signOn, t), place].filter(Boolean).join(' · ');
  return html('button', { type: 'button', class: 'card', onclick: () => answer(entry) },
    html('strong', { dir: 'auto' }, site.name),
    from && html('span', { class: 'quiet small', dir: 'auto' }, from),
    html('span', { class: 'quiet small' },
      html('time', { datetime: at }, fill(t.requestedAt, { ago: ago(Date.parse(at), routes.api.now(), language, t.ago) }))));
}

function siteCard(context: Context, pairing: Pairing): HTMLElement {
  const { t } = context;
  const warning = pairing.lost ? t.lost
    : pairing.newPhone ? t.newPhone
      : pairing.standing === 'waiting' ? t.unconfirmed
        : pairing.faceEnrolled ? null : t.faceMissing;
  return html('button', { type: 'button', class: 'card', onclick: () => showSite(context, pairing) },
    html('strong', { dir: 'auto' }, pairing.site.name),
    pairing.site.name !== pairing.site.domain && html('span', { class: 'quiet small', dir: 'ltr' }, pairing.site.domain),
    warning && html('span', { class: 'chip warn' }, warning));
}
