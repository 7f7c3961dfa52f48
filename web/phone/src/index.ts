// Starts the app on its page.

import { pick } from '../../widget/src/texts/index.js';
import { App, type InstallOffer } from './app.js';
import { copyLink, told } from './flows/problem.js';
import { tokenIn } from './pairing/pairing.js';
import { here } from './surroundings.js';
import { LANGUAGES, type Language, type Texts } from './texts/index.js';
import { keepCurrent } from './update.js';
import { button, View } from './view/view.js';
import { Vault } from './pairing/vault.js';
import { explain } from './view/words.js';

/** The product's name, which no language changes. */
const NAME = 'Axiam';

function start(): void {
  const root = document.querySelector<HTMLElement>('#app');
  if (!root) return;
  const language = pick(...navigator.languages);
  Object.assign(document.documentElement, { lang: language, dir: language === 'ar' ? 'rtl' : 'ltr' });
  // The bar around an installed app is of the page's ground, which only the style sheet knows.
  document.querySelector('meta[name="theme-color"]')?.setAttribute('content', getComputedStyle(document.documentElement).backgroundColor);
  const view = new View(root, NAME);
  const t = LANGUAGES[language];
  open(view, language, t).catch((error: unknown) => {
    console.error(error);
    view.show(told('failed', [t.failedTitle, explain(error, t).sentence], 'warning', [loadAgain(t)]));
  });
}

const loadAgain = (t: Texts): HTMLElement => button('primary', t.reload, () => location.reload());

async function open(view: View, language: Language, t: Texts): Promise<void> {
  const around = here();
  // Said before anything is tried: a browser without these has no keys either.
  if (!around.isSecure) return view.show(told('insecure', t.insecure, 'warning', [copyLink({ t, view })]));
  const vault = await Vault.open().catch(() => null);
  if (!vault) {
    // Only who came with a code was about to pair.
    return tokenIn(location.hash)
      ? view.show(told('storage', t.storage, 'warning', [copyLink({ t, view }), button('', t.reload, () => location.reload())]))
      : view.show(told('failed', [t.failedTitle, t.storeAway], 'warning', [loadAgain(t)]));
  }
  const app = new App(vault, view, around, language);
  addEventListener('beforeinstallprompt', (offer) => {
    offer.preventDefault();
    app.offerInstall(offer as InstallOffer);
  });
  await app.start();
  keepCurrent(view);
}

start();
