// The app: holds what the flows stand in, and decides what is shown.

import { Api } from './server/api.js';
import type { Context } from './context.js';
import { Engine, files } from './engine/engine.js';
import { Answering } from './flows/answer.js';
import { home, welcome } from './flows/home.js';
import { offerPairing } from './flows/pair.js';
import { Inbox } from './inbox/inbox.js';
import { learn, tokenIn } from './pairing/pairing.js';
import { Routes } from './server/routes.js';
import type { Surroundings } from './surroundings.js';
import { LANGUAGES, type Language, type Texts } from './texts/index.js';
import type { Pairing, Vault } from './pairing/vault.js';
import { isDeep, type View } from './view/view.js';
import { Waking } from './waking/waking.js';

/** What Chromium offers where an app can be installed. */
export interface InstallOffer extends Event {
  prompt(): Promise<unknown>;
}

/** Screens that somebody who comes back is led away from where something waits: nothing is left to do on them. */
const DONE = ['site', 'notifications', 'enrolled', 'unpaired', 'verified', 'over', 'refused', 'reported', 'lost'];
/** The same of somebody who opens a notification, and so asks for what waits. */
const IDLE = [...DONE, 'home', 'welcome', 'failed', 'paired'];

export class App implements Context {
  readonly t: Texts;
  readonly routes = new Routes(new Api(location.origin));
  readonly engine = new Engine(files);
  readonly inbox: Inbox;
  readonly waking: Waking;
  #pairings: Pairing[] = [];
  readonly #dropped = new Set<string>();
  #answering: Answering | null = null;
  #home: { update(): void } | null = null;
  #offer: InstallOffer | null = null;

  constructor(readonly vault: Vault, readonly view: View, readonly around: Surroundings, readonly language: Language) {
    this.t = LANGUAGES[language];
    this.inbox = new Inbox(this.routes, {
      changed: () => this.#home?.update(),
      closed: (signOnId) => this.#closed(signOnId),
      phones: (id) => void this.learn(id),
      lost: (id) => void this.#lost(id),
      returned: () => { if (this.inbox.waiting.list().length && DONE.includes(this.view.screen)) this.home(); },
    });
    this.waking = new Waking(this.routes, (pairing) => this.keep(pairing));
    // A notification was opened.
    navigator.serviceWorker?.addEventListener('message', ({ data }) => { if (data === 'inbox') this.#inbox(); });
    document.addEventListener('visibilitychange', () => this.#seen());
    addEventListener('popstate', () => this.#first());
    addEventListener('hashchange', () => this.#opened());
  }

  async start(): Promise<void> {
    await this.#load();
    if (!this.#opened()) this.#first();
    this.#seen();
    // Those that were lost are asked for too: a site may have been brought back.
    for (const { id } of this.#pairings) void this.learn(id);
  }

  #seen(): void {
    if (document.visibilityState === 'visible') void this.waking.clear().catch(() => {});
  }

  /** Leads to what waits, unless something is under way. */
  #inbox(): void {
    if (IDLE.includes(this.view.screen)) this.home();
    else void this.inbox.refresh();
  }

  pairings(): Pairing[] {
    return this.#pairings;
  }

  async keep(pairing: Pairing): Promise<void> {
    // An answer that was under way when the person unpaired must not bring the pairing back.
    if (this.#dropped.has(pairing.id)) return;
    await this.vault.put(pairing);
    await this.#load();
  }

  async drop(pairing: Pairing): Promise<void> {
    this.#dropped.add(pairing.id);
    this.#have(this.#pairings);
    try {
      await this.vault.remove(pairing.id);
    } catch (error) {
      // It is over all the same: what the person is to read of that must not be lost for it.
      console.warn('a pairing that is over is still stored', error);
    }
    if (!this.#pairings.length && this.view.screen === 'home') this.home();
  }

  home(): void {
    // Leads to `#first` by way of `popstate`.
    if (isDeep()) return history.back();
    this.#first();
  }

  #first(): void {
    this.#answering = null;
    if (!this.#pairings.length) {
      this.#home = null;
      return this.view.show(welcome(this));
    }
    const screen = home(this, {
      answer: (entry) => {
        this.#answering = Answering.of(this, entry);
        this.#answering?.show();
      },
      install: this.#offer && (() => void this.#install()),
    });
    this.#home = { update: screen.update };
    this.view.show({ ...screen, leave: () => { this.#home = null; } });
    void this.inbox.refresh();
  }

  /** The browser says that the app can be installed. */
  offerInstall(offer: InstallOffer): void {
    this.#offer = offer;
    if (this.view.screen === 'home') this.home();
  }

  async #install(): Promise<void> {
    await this.#offer?.prompt();
    this.#offer = null;
    this.home();
  }

  // A link with a token led here: whether there is one.
  #opened(): boolean {
    const token = tokenIn(location.hash);
    if (token) offerPairing(this, token);
    return token !== null;
  }

  async #load(): Promise<void> {
    this.#have(await this.vault.pairings());
  }

  #have(pairings: Pairing[]): void {
    this.#pairings = pairings.filter(({ id }) => !this.#dropped.has(id));
    this.inbox.follow(this.#pairings.filter(({ lost }) => !lost));
  }

  #closed(signOnId: string): void {
    if (this.#answering?.id === signOnId) this.#answering.closed();
  }

  /** Asks how this phone and the person's others stand; what cannot be asked now is asked at the next start. */
  async learn(id: string): Promise<void> {
    const pairing = this.#pairings.find((one) => one.id === id);
    const own = pairing && await this.routes.own(pairing).catch(() => null);
    if (!pairing || !own) return;
    await this.keep(learn(pairing, own));
    this.#home?.update();
    await this.waking.match(pairing, own).catch((error: unknown) => console.warn('not woken by notifications', error));
  }

  async #lost(id: string): Promise<void> {
    const pairing = this.#pairings.find((one) => one.id === id);
    if (!pairing) return;
    pairing.lost = true;
    await this.keep(pairing);
    this.#home?.update();
  }
}
