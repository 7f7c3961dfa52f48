// Erasing: what is lost is said, the site's address is typed, and the receipt is given once.

import { html } from '../../../widget/src/dom.js';
import type { Context } from '../context.js';
import type { Erased } from '../server/routes.js';
import type { Pairing } from '../pairing/vault.js';
import { actions, button, paragraph } from '../view/view.js';
import { fill } from '../view/words.js';
import { checking } from './checking.js';
import { failed, told } from './problem.js';

export function showErase(context: Context, pairing: Pairing): void {
  const { t, view } = context;
  const { domain, name } = pairing.site;
  const error = html('p', { class: 'error', id: 'domain-error', role: 'alert' });
  const input = html('input', {
    id: 'domain', autocomplete: 'off', autocapitalize: 'none', spellcheck: 'false', dir: 'ltr', 'aria-describedby': 'domain-error',
  });
  const submit = (event: Event): void => {
    event.preventDefault();
    const isRight = input.value.trim().toLowerCase() === domain.toLowerCase();
    error.textContent = isRight ? '' : fill(t.eraseWrong, { domain });
    input.setAttribute('aria-invalid', String(!isRight));
    if (isRight) void erase(context, pairing);
    else input.focus();
  };
  view.show({
    name: 'erase',
    title: t.erase,
    nodes: [
      paragraph(fill(t.eraseText, { site: name }), 'lead'),
      html('form', { class: 'stack', novalidate: true, onsubmit: submit },
        html('div', { class: 'field' }, html('label', { for: 'domain' }, fill(t.eraseName, { domain })), input, error),
        actions(html('button', { type: 'submit', class: 'danger' }, t.erase), button('', t.cancel, () => context.home()))),
    ],
  });
}

async function erase(context: Context, pairing: Pairing): Promise<void> {
  const isHere = checking(context);
  try {
    const gone = await context.routes.erase(pairing);
    // Also to somebody who went on meanwhile: the receipt is given this once, whatever becomes of our own store.
    showReceipt(context, pairing, gone);
  } catch (error) {
    if (isHere()) failed(context, error, () => void erase(context, pairing));
    return;
  }
  await context.drop(pairing);
}

function showReceipt(context: Context, pairing: Pairing, { erased, receipt }: Erased): void {
  const { t, view } = context;
  const { name, domain } = pairing.site;
  const counts = fill(t.erasedCounts, { faces: erased.face_references, devices: erased.devices, signOns: erased.sign_ons });
  const file = URL.createObjectURL(new Blob([receipt], { type: 'application/jwt' }));
  const save = html('a', { class: 'button primary', href: file, download: `axiam-receipt-${domain}.jwt` }, t.saveReceipt);
  const screen = told('erased', [t.erased[0], fill(t.erased[1], { site: name })], 'good', [
    save,
    button('', t.copy, () => void navigator.clipboard?.writeText(receipt).then(() => view.say(t.copied))),
    button('plain', t.done, () => context.home()),
  ], [
    paragraph(counts),
    html('h2', {}, t.receipt),
    html('p', { class: 'key receipt', tabindex: 0 }, receipt),
  ]);
  view.show({ ...screen, leave: () => URL.revokeObjectURL(file) });
}
