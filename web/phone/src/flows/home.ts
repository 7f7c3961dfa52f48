// The first screen: what waits, the newest first, and the sites that this phone is paired with.

import { html } from '../../../widget/src/dom.js';
import type { Context } from '../context.js';
import { glyph } from '../view/drawings.js';
import type { Pairing } from '../pairing/vault.js';
import type { Entry } from '../inbox/waiting.js';
import { button, paragraph, type Screen } from '../view/view.js';
import { ago, asker, fill } from '../view/words.js';
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
  const showSites = cards(sites, (pairing: Pairing) => siteCard(context, pairing));
  const showEntries = cards(list, (entry: Entry) => card(context, entry, does));
  const update = (): void => {
    showSites(context.pairings().map((pairing) => ({ of: pairing, key: JSON.stringify([pairing.id, pairing.site, warningOf(context, pairing)]) })));
    const entries = inbox.waiting.list();
    showEntries(entries.map((entry) => ({ of: entry, key: entry.signOn.sign_on_id })));
    for (const time of list.querySelectorAll('time')) tellAge(context, time);
    list.hidden = !entries.length;
    // Without a connection nobody knows whether something waits.
    empty.hidden = entries.length > 0 || !inbox.isOnline;
    offline.hidden = inbox.isOnline;
    const words = inbox.isOnline ? '' : t.offline;
    // Screen readers may say anew what is set anew.
    if (offline.textContent !== words) offline.textContent = words;
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
  const { t } = context;
  const { site, place, requested_at: at, sign_on_id: id } = entry.signOn;
  // The card stays while what it stands for is told anew.
  const now = (): Entry => context.inbox.waiting.list().find(({ signOn }) => signOn.sign_on_id === id) ?? entry;
  const from = [asker(entry.signOn, t), place].filter(Boolean).join(' · ');
  return html('button', { type: 'button', class: 'card', onclick: () => answer(now()) },
    html('strong', { dir: 'auto' }, site.name),
    from && html('span', { class: 'quiet small', dir: 'auto' }, from),
    html('span', { class: 'quiet small' }, html('time', { datetime: at })));
}

function tellAge({ t, language, routes }: Context, time: HTMLTimeElement): void {
  const text = fill(t.requestedAt, { ago: ago(Date.parse(time.dateTime), routes.api.now(), language, t.ago) });
  if (time.textContent !== text) time.textContent = text;
}

/**
 * Puts cards into a list, and others only where their keys are others: whoever is on a card with a keyboard or a screen reader would
 * be thrown out of the list otherwise, each time that nothing new was heard.
 */
function cards<T>(list: HTMLElement, make: (of: T) => HTMLElement): (wanted: { of: T; key: string }[]) => void {
  let shown = new Map<string, HTMLElement>();
  return (wanted) => {
    if ([...shown.keys()].join('\n') === wanted.map(({ key }) => key).join('\n')) return;
    const focused = document.activeElement;
    shown = new Map(wanted.map(({ of, key }) => [key, shown.get(key) ?? html('li', {}, make(of))]));
    list.replaceChildren(...shown.values());
    // Moving an element takes its focus away.
    if (focused instanceof HTMLElement && list.contains(focused)) focused.focus();
  };
}

function warningOf({ t }: Context, pairing: Pairing): string | null {
  return pairing.lost ? t.lost
    : pairing.newPhone ? t.newPhone
      : pairing.standing === 'waiting' ? t.unconfirmed
        : pairing.faceEnrolled ? null : t.faceMissing;
}

function siteCard(context: Context, pairing: Pairing): HTMLElement {
  const warning = warningOf(context, pairing);
  const now = (): Pairing => context.pairings().find(({ id }) => id === pairing.id) ?? pairing;
  return html('button', { type: 'button', class: 'card', onclick: () => showSite(context, now()) },
    html('strong', { dir: 'auto' }, pairing.site.name),
    pairing.site.name !== pairing.site.domain && html('span', { class: 'quiet small', dir: 'ltr' }, pairing.site.domain),
    warning && html('span', { class: 'chip warn' }, warning));
}
