// A page that follows what happens: it asks again and again, shows what is new, and says so when it cannot any more. It may hang
// on a wall, where nobody loads it again.

import { age } from './ago.js';

/** It asks so often, milliseconds; less often after a failure. */
const ASKS = 1_000;
const ASKS_SELDOM = 30_000;

/** One answer that fails is a moment; so many in a row are told. */
const FAILURES = 2;

/** Whether the person is in the middle of something there that new content would take from them. */
function isBusy(part: HTMLElement): boolean {
  const focused = document.activeElement;
  if (focused instanceof HTMLInputElement && part.contains(focused)) return true;
  const selection = getSelection();
  return Boolean(selection && !selection.isCollapsed && selection.anchorNode && part.contains(selection.anchorNode));
}

/** Puts what is new in the place of what is shown; what was unfolded stays so, and the focus stays where it was. */
function show(part: HTMLElement, next: HTMLElement): void {
  const folds = [...part.querySelectorAll('details')];
  [...next.querySelectorAll('details')].forEach((fold, i) => { fold.open = folds[i]?.open ?? false; });
  const links = (of: HTMLElement) => [...of.querySelectorAll<HTMLElement>('a, button, summary, [tabindex]')];
  const focused = document.activeElement;
  const name = focused instanceof HTMLElement && part.contains(focused)
    ? focused.getAttribute('href') ?? focused.textContent
    : null;
  part.replaceChildren(...next.childNodes);
  part.dataset.version = next.dataset.version ?? '';
  age(Date.now());
  if (name === null) return;
  links(part).find((one) => (one.getAttribute('href') ?? one.textContent) === name)?.focus({ preventScroll: true });
}

/** What stands above what is shown while it does not follow; nothing where it does. */
class Stale {
  private note: HTMLElement | null = null;

  constructor(private readonly part: HTMLElement) {}

  /** Says why, since when, and what to do. */
  say(why: string, since: Date, way?: { words: string; to: string }): void {
    if (this.note?.dataset.why === why) return;
    this.clear();
    const note = document.createElement('p');
    note.className = 'notice warn dash-stale';
    note.role = 'alert';
    note.dataset.why = why;
    const at = since.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit' });
    note.append(`${why} What you see is of ${at}. `);
    if (way) {
      const link = document.createElement('a');
      link.href = way.to;
      link.textContent = way.words;
      note.append(link);
    }
    this.part.before(note);
    this.note = note;
  }

  clear(): void {
    this.note?.remove();
    this.note = null;
  }
}

/** What one question came to. */
type Came = 'answer' | 'signed out' | 'no role' | 'failure';

async function ask(part: HTMLElement): Promise<Came> {
  try {
    const headers = { accept: 'text/html', 'x-axiam-shown': part.dataset.version ?? '' };
    const answer = await fetch(part.dataset.follow ?? location.href, { headers, redirect: 'manual' });
    if (answer.type === 'opaqueredirect') return 'signed out';
    if (answer.status === 403 || answer.status === 404) return 'no role';
    if (!answer.ok) return 'failure';
    if (answer.status === 204) return 'answer';
    const next = new DOMParser().parseFromString(await answer.text(), 'text/html').getElementById('live');
    if (next && !isBusy(part)) show(part, next);
    return 'answer';
  } catch {
    return 'failure';
  }
}

/** Asks for what the page shows while somebody looks at it. Ends with the session, and says so. */
export async function follow(part: HTMLElement): Promise<void> {
  const stale = new Stale(part);
  let since = new Date();
  let failures = 0;
  for (let wait = ASKS; ; ) {
    await new Promise((done) => setTimeout(done, wait));
    if (document.hidden || isBusy(part)) continue;
    const came = await ask(part);
    if (came === 'signed out') {
      stale.say('You are signed out.', since, { words: 'Sign in again', to: location.href });
      return;
    }
    if (came === 'no role') {
      stale.say('You may not see this any more.', since, { words: 'Your apps', to: '/dashboard' });
      return;
    }
    if (came === 'answer') {
      stale.clear();
      [since, failures, wait] = [new Date(), 0, ASKS];
      continue;
    }
    failures += 1;
    wait = Math.min(wait * 2, ASKS_SELDOM);
    if (failures >= FAILURES) stale.say('The server does not answer. It is asked again and again.', since);
  }
}
