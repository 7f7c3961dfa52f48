// The sign-ons on a site that are over, in which the person finds what was not them.

import { html } from '../../../widget/src/dom.js';
import type { Context } from '../context.js';
import type { Device, PastSignOn } from '../server/routes.js';
import { button, paragraph } from '../view/view.js';
import { ago, asker } from '../view/words.js';

/** As many are shown at first. */
const FEW = 4;

const KINDS: Record<PastSignOn['verdict'], string> = {
  verified: 'good', failed: 'bad', denied: 'bad', expired: 'warn', cancelled: '',
};

export function recentSignOns(context: Context, signOns: PastSignOn[], devices: Device[]): HTMLElement {
  const { t } = context;
  const cards = signOns.map((signOn) => html('li', { class: 'card split' }, ...told(context, signOn, devices)));
  const list = html('ul', { class: 'cards' }, ...cards.slice(0, FEW));
  const more = button('plain', t.showMore, () => {
    list.append(...cards.slice(FEW));
    more.remove();
  });
  return html('section', { class: 'stack' },
    html('h2', {}, t.recent),
    ...signOns.length
      ? [list, cards.length > FEW && more, paragraph(t.recentText, 'quiet small')]
      : [paragraph(t.recentNone, 'quiet')]);
}

function told({ t, language, routes }: Context, signOn: PastSignOn, devices: Device[]): HTMLElement[] {
  const answered = devices.find((device) => device.device_id === signOn.device_id);
  const when = html('time', { datetime: signOn.requested_at }, ago(Date.parse(signOn.requested_at), routes.api.now(), language, t.ago));
  return [
    html('div', {},
      html('strong', { dir: 'auto' }, [asker(signOn, t), signOn.place].filter(Boolean).join(' · ') || t.unknownBrowser),
      html('p', { class: 'quiet small' }, when, answered && html('span', { dir: 'auto' }, ` · ${answered.this ? t.thisDevice : answered.name}`))),
    html('span', { class: `chip ${KINDS[signOn.verdict]}` }, t.verdicts[signOn.verdict]),
  ];
}
