// What the dashboard's pages do beyond showing: copying, following what happens, and where one is stays in sight. All of it
// works without this.

import { askByForm } from './passkey.js';
import { wait } from './waiting.js';

/** How long a button says that it has copied, milliseconds. */
const SAID = 2_000;

for (const button of document.querySelectorAll<HTMLButtonElement>('.dash-copy')) {
  const source = document.getElementById(button.dataset.copy ?? '');
  if (!source || !navigator.clipboard) continue;
  const word = button.textContent;
  button.classList.add('is-ready');
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(source.textContent ?? '');
      button.textContent = 'Copied';
      setTimeout(() => { button.textContent = word; }, SAID);
    } catch {
      // Not allowed to: what is to be copied is selected instead.
      getSelection()?.selectAllChildren(source);
    }
  });
}

// On a phone the navigation is wider than the screen.
document.querySelector('.dash > .nav [aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' });

for (const form of document.querySelectorAll<HTMLFormElement>('form[data-waits]')) wait(form);
for (const form of document.querySelectorAll<HTMLFormElement>('form[data-passkey]')) askByForm(form);

/** A page that follows what happens asks so often, milliseconds; less often after a failure. */
const ASKS = 1_000;
const ASKS_SELDOM = 30_000;

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
  if (name === null) return;
  links(part).find((one) => (one.getAttribute('href') ?? one.textContent) === name)?.focus({ preventScroll: true });
}

/** Asks for what the page shows while somebody looks at it. Ends with the session. */
async function follow(part: HTMLElement): Promise<void> {
  for (let wait = ASKS; ; ) {
    await new Promise((done) => setTimeout(done, wait));
    if (document.hidden || isBusy(part)) continue;
    try {
      const headers = { accept: 'text/html', 'x-axiam-shown': part.dataset.version ?? '' };
      const answer = await fetch(part.dataset.follow ?? location.href, { headers, redirect: 'manual' });
      // Signed out, or no role here any more: the next thing the person does will tell them.
      if (answer.type === 'opaqueredirect' || answer.status === 403 || answer.status === 404) return;
      if (!answer.ok) throw new Error(answer.statusText);
      wait = ASKS;
      if (answer.status === 204) continue;
      const next = new DOMParser().parseFromString(await answer.text(), 'text/html').getElementById('live');
      if (next && !isBusy(part)) show(part, next);
    } catch {
      // The server is away for a moment.
      wait = Math.min(wait * 2, ASKS_SELDOM);
    }
  }
}

const live = document.getElementById('live');
if (live) void follow(live);
