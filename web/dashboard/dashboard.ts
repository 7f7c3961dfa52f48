// What the dashboard's pages do beyond showing: copying, following what happens, and where one is stays in sight. All of it
// works without this.

import { letTimesAge } from './ago.js';
import { follow } from './follow.js';
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

letTimesAge();
const live = document.getElementById('live');
if (live) void follow(live);
