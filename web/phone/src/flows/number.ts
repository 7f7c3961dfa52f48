// The number that ties the request to the page in front of the person: typed, or picked where choices are offered.

import { html } from '../../../widget/src/dom.js';
import type { Context } from '../context.js';
import type { SignOn } from '../server/routes.js';
import { actions, button } from '../view/view.js';

/** So many choices are buttons; of more the person types theirs. */
const FEW = 12;

/** Ways to say yes; `yes` is told the number, null where none is asked for, and is called from a tap. */
export function numberChoice(context: Context, { number }: SignOn, yes: (number: number | null) => void): HTMLElement {
  const { t } = context;
  if (number === null) return actions(button('primary', t.scanFace, () => yes(null)));
  const choices = number.choices ?? [];
  return choices.length && choices.length <= FEW ? picked(context, choices, yes) : typed(context, yes);
}

function picked({ t }: Context, choices: number[], yes: (number: number) => void): HTMLElement {
  const buttons = choices.map((choice) => button('number', String(choice).padStart(2, '0'), () => yes(choice)));
  return html('fieldset', { class: 'stack' }, html('legend', {}, t.chooseNumber), html('div', { class: 'choices' }, ...buttons));
}

function typed({ t }: Context, yes: (number: number) => void): HTMLElement {
  const error = html('p', { class: 'error', id: 'number-error', role: 'alert' });
  const input = html('input', {
    id: 'number', class: 'number', inputmode: 'numeric', pattern: '[0-9]{1,2}', maxlength: 2, autocomplete: 'off', required: true,
    'aria-describedby': 'number-error',
  });
  const submit = (event: Event): void => {
    event.preventDefault();
    const isRight = /^[0-9]{1,2}$/.test(input.value);
    error.textContent = isRight ? '' : t.numberInvalid;
    input.setAttribute('aria-invalid', String(!isRight));
    if (isRight) yes(Number(input.value));
    else input.focus();
  };
  return html('form', { class: 'stack', novalidate: true, onsubmit: submit },
    html('div', { class: 'field' }, html('label', { for: 'number' }, t.typeNumber), input, error),
    actions(html('button', { type: 'submit', class: 'primary' }, t.scanFace)));
}
