// The words and controls of each state.

import { html, type Attributes } from './dom.js';
import type { State } from './machine.js';
import { fill, type Texts } from './texts/index.js';

/** What the person can do. */
export interface Actions {
  submit(email: string): void;
  cancel(): void;
  again(): void;
  back(): void;
  proceed(): void;
  /** Null where the page offers no way to set up a phone. */
  setUp: (() => void) | null;
}

export interface Panel {
  nodes: Node[];
  /** Follows changes within the state, without taking anything from under the person's hands. */
  update?(state: State): void;
  /** Milliseconds left of a request. */
  tick?(left: number): void;
}

/** What a screen reader is told when a state begins or changes: the sentence under the title. */
export function sentence(state: State, t: Texts): string {
  switch (state.name) {
    case 'pending':
      return pendingSentence(state, t);
    case 'verified':
      return fill(t.verifiedAs, { email: isolated(state.verified.email) });
    case 'failed':
      return state.message || t.failedText;
    case 'denied':
      return t.deniedText;
    case 'expired':
      return t.expiredText;
    case 'noDevice':
      return state.message || t.noDeviceText;
    case 'error':
      return state.message || { api: t.errorText, offline: t.offlineText, stale: t.staleText, setup: t.setupText }[state.fault];
    case 'idle':
      return t.titleText;
    default:
      return '';
  }
}

export function title(state: State, t: Texts): string {
  switch (state.name) {
    case 'idle':
      return t.title;
    case 'pending':
      return state.request.number === null ? t.lookAtPhone : t.chooseNumber;
    default:
      return t[state.name];
  }
}

export function panel(state: State, t: Texts, actions: Actions): Panel {
  switch (state.name) {
    case 'idle':
      return idlePanel(state, t, actions);
    case 'pending':
      return pendingPanel(state, t, actions);
    case 'verified':
      return verifiedPanel(state, t, actions);
    case 'sending':
    case 'submitted':
      return { nodes: [heading(state, t)] };
    default:
      return endPanel(state, t, actions);
  }
}

const heading = (state: State, t: Texts): HTMLElement =>
  html('div', { class: 'title', role: 'heading', 'aria-level': 2, tabindex: -1 }, title(state, t));

const button = (kind: string, words: string, press: () => void): HTMLElement =>
  html('button', { type: 'button', class: `button ${kind}`, onclick: press }, words);

const text = (state: State, t: Texts, more: Attributes = {}): HTMLElement =>
  html('p', { class: 'text', dir: 'auto', ...more }, sentence(state, t));

// An address keeps its own direction within a text of another.
const isolated = (words: string): string => `\u2068${words}\u2069`;

function pendingSentence(state: State & { name: 'pending' }, t: Texts): string {
  if (state.offline) return t.offline;
  if (state.retry) {
    const { message, attemptsLeft } = state.retry;
    return [message, attemptsLeft !== null && fill(t.attemptsLeft, { count: attemptsLeft })].filter(Boolean).join('\n');
  }
  return state.scanning ? t.scanning : fill(t.sentFor, { email: isolated(state.email) });
}

function idlePanel(state: State & { name: 'idle' }, t: Texts, actions: Actions): Panel {
  const error = html('p', { class: 'error', id: 'error' });
  const input = html('input', {
    class: 'input', id: 'email', type: 'email', name: 'email', autocomplete: 'email', inputmode: 'email',
    autocapitalize: 'none', spellcheck: 'false', required: true, 'aria-describedby': 'error',
  });
  input.value = state.email;
  // `dialog` leads nowhere: even without our listener nothing could be sent.
  const form = html('form', {
    class: 'form', method: 'dialog', novalidate: true,
    onsubmit: (event: SubmitEvent) => { event.preventDefault(); actions.submit(input.value); },
  },
  html('div', { class: 'field' }, html('label', { for: 'email' }, t.emailLabel), input, error),
  html('button', { type: 'submit', class: 'button primary' }, t.send));

  const update = (now: State): void => {
    if (now.name !== 'idle') return;
    error.textContent = now.invalid ? t.emailInvalid : '';
    input.setAttribute('aria-invalid', String(now.invalid));
    if (now.invalid) input.focus();
    if (!now.invalid && now.email !== input.value) input.value = now.email;
  };
  return { nodes: [heading(state, t), text(state, t), form], update };
}

function pendingPanel(state: State & { name: 'pending' }, t: Texts, actions: Actions): Panel {
  const words = text(state, t);
  const remaining = html('p', { class: 'remaining', role: 'timer' });
  const hint = html('p', { class: 'hint', hidden: true }, t.slow, ' ',
    actions.setUp && html('button', { type: 'button', class: 'link', onclick: actions.setUp }, t.setUp));
  const update = (now: State): void => {
    if (now.name !== 'pending') return;
    const said = pendingSentence(now, t);
    if (words.textContent !== said) words.textContent = said;
    words.classList.toggle('warn', now.offline || now.retry !== null);
    hint.hidden = !now.slow;
  };
  const tick = (left: number): void => {
    const seconds = Math.max(0, Math.ceil(left / 1000));
    // A figure space keeps the place of a digit that is gone.
    const time = `${String(Math.floor(seconds / 60)).padStart(2, '\u2007')}:${String(seconds % 60).padStart(2, '0')}`;
    remaining.textContent = fill(t.remaining, { time });
  };
  update(state);
  return {
    nodes: [heading(state, t), words, html('div', { class: 'row' }, remaining, button('plain', t.cancel, actions.cancel)), hint],
    update,
    tick,
  };
}

function verifiedPanel(state: State & { name: 'verified' }, t: Texts, actions: Actions): Panel {
  const rest = html('div', { class: 'actions' });
  const update = (now: State): void => {
    if (now.name === 'verified' && now.asks && !rest.firstChild) rest.append(button('primary', t.continue, actions.proceed));
  };
  update(state);
  return { nodes: [heading(state, t), text(state, t), rest], update };
}

type End = State & { name: 'failed' | 'denied' | 'expired' | 'noDevice' | 'error' };

function endPanel(state: End, t: Texts, actions: Actions): Panel {
  const rest = html('div', { class: 'actions' }, ...waysBack(state, t, actions));
  const code = 'code' in state && state.code !== null && html('p', { class: 'code' }, fill(t.code, { code: state.code }));
  return { nodes: [heading(state, t), text(state, t), ...(code ? [code] : []), rest] };
}

function waysBack(state: End, t: Texts, { again, back, setUp }: Actions): HTMLElement[] {
  const tryAgain = button('primary', t.tryAgain, again);
  const otherAddress = button('plain', t.otherAddress, back);
  switch (state.name) {
    // After a no, the person types again before anything is sent: a tired thumb repeats nothing.
    case 'denied':
      return [button('', t.startAgain, back)];
    case 'noDevice':
      return setUp ? [button('primary', t.setUp, setUp), otherAddress] : [button('', t.otherAddress, back)];
    case 'expired':
      return [tryAgain, html('div', { class: 'row' }, otherAddress, ...(setUp ? [button('plain', t.setUp, setUp)] : []))];
    case 'error':
      if (state.fault === 'setup') return [];
      if (state.fault === 'stale') return [button('primary', t.reload, () => location.reload())];
      return [tryAgain, otherAddress];
    default:
      return [tryAgain, otherAddress];
  }
}
