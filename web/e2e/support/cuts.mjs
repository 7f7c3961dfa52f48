// Servers, pages and phones, and whatever can be cut between them.
//
// Pages reach the servers through a proxy, as through a load balancer. Most verdicts are denials,
// which cost no look at a photo but are as real: given by a phone's key, committed, broadcast.

import assert from 'node:assert/strict';

import { Axiam, sleep } from './axiam.mjs';
import { CLIENTS } from './clients.mjs';
import { people } from './photos.mjs';
import { Proxy } from './proxy.mjs';
import { Redis } from './redis.mjs';

const LOGIN = 'FacialSignOnLoginChannel';
/** Pages of each client in each case; nine cases with four clients make 1,008. */
const PAGES = 28;
/** For how long the pages of one case are away. */
export const AWAY = 30_000;
/** Longest time from the last verdict to the last page that hears its own: clients wait up to 12 s before they try again. */
const PATIENCE = 60_000;
/** How long a second verdict would have to come: longer than servers wait before they tell again. */
const AFTERWARDS = 3500;
/** How long a page stays that has its verdict: less than any client waits before it connects again. */
const MOMENT = 400;
/** What a page hears of a sign-on that ends like this. */
const ENDS = { verified: 'verified', denied: 'denied', cancelled: 'expired' };

export class World {
  constructor(told) {
    this.told = told;
  }

  async open({ servers, settings, redis }) {
    if (redis) this.redis = await Redis.start();
    const common = { ...(await settings()), ...(redis ? { AXIAM_REDIS_URL: this.redis.url } : {}), AXIAM_CABLE_DRAIN: '1' };
    this.servers = [await Axiam.start({ settings: common })];
    const [first] = this.servers;
    const master = { AXIAM_KEYS_MASTER: `${first.dataDir}/master.key` };
    while (this.servers.length < servers) this.servers.push(await Axiam.start({ settings: { ...common, ...master } }));
    this.site = await first.createSite('https://example.com');
    await this.site.authenticate();
    this.face = people()[0];
    this.people = [];
    for (let n = 0; n < CLIENTS.length * 2; n++) {
      this.people.push(await this.site.person(`person${n}@example.com`, { photos: [this.face.photo(0)] }));
    }
    this.door = await Proxy.to(...this.servers.map((axiam) => axiam.port));
    this.far = await Proxy.to(...this.servers.map((axiam) => axiam.port));
  }

  async close() {
    await this.door?.close();
    await this.far?.close();
    for (const axiam of [...(this.servers ?? [])].reverse()) await axiam.stop();
    await this.redis?.stop();
  }

  async cut(what) {
    const victim = this.servers.at(-1);
    switch (what) {
      case 'sockets':
        for (let times = 0; times < 3; times++) {
          this.door.cut();
          await sleep(700);
        }
        break;
      case 'Redis':
        await this.redis.kill();
        await sleep(1500);
        await this.redis.serve();
        break;
      default:
        await victim.halt(what);
        await sleep(500);
        await victim.again();
    }
  }

  /** Sign-ons with a page each; verdicts are given before, during and after the cut. */
  async live(cut) {
    const signOns = await this.ask(this.people.slice(0, CLIENTS.length), this.door);
    const late = signOns.filter((_, at) => at % 7 === 3);
    await this.watch(signOns.filter((signOn) => !late.includes(signOn)));
    const third = Math.ceil(signOns.length / 3);
    await this.decide(signOns.slice(0, third));
    const during = this.decide(signOns.slice(third, 2 * third), 25);
    // Pages that come while everything breaks.
    const coming = late.map((signOn) => signOn.page.begin());
    await Promise.all([cut(), during]);
    await this.decide(signOns.slice(2 * third));
    await Promise.all(coming);
    await this.settle(signOns);
  }

  /** Pages whose network is dead for a while; the verdicts come meanwhile. */
  async leave() {
    const signOns = await this.ask(this.people.slice(CLIENTS.length), this.far);
    await this.watch(signOns);
    this.far.hold();
    const back = sleep(AWAY).then(() => { this.far.release(); this.far.cut(); });
    await this.decide(signOns, AWAY / signOns.length / 2);
    await back;
    await this.settle(signOns);
  }

  async ask(persons, door) {
    const all = await Promise.all(persons.map(async (person, who) => {
      const { open } = CLIENTS[who];
      const tokens = [];
      for (let n = 0; n < PAGES; n++) tokens.push((await this.site.push(person.id)).verification_token);
      // The newest come first; those of a case that failed may still be there.
      const waiting = (await person.phone.pending()).slice(0, tokens.length).reverse();
      return tokens.map((token, n) => ({
        token,
        id: waiting[n].sign_on_id,
        phone: person.phone,
        person,
        how: n % 14 === 5 ? 'verified' : n % 14 === 9 ? 'cancelled' : 'denied',
        page: new Page(() => open(`ws://127.0.0.1:${door.port}/cable`), token, CLIENTS[who].name, n % 4 === 2),
      }));
    }));
    // Clients take turns.
    return Array.from({ length: PAGES }, (_, n) => all.map((ofClient) => ofClient[n])).flat();
  }

  async watch(signOns) {
    await Promise.all(signOns.map(({ page }) => page.begin()));
    await Promise.all(signOns.map(({ page }) => page.outcome));
  }

  async decide(signOns, pause = 0) {
    const queue = [...signOns];
    const worker = async () => {
      for (let signOn = queue.shift(); signOn; signOn = queue.shift()) {
        await this.decideOne(signOn);
        if (pause) await sleep(pause);
      }
    };
    await Promise.all([worker(), worker()]);
  }

  async decideOne({ how, token, id, phone }) {
    // Used, or taken back: by our own earlier try.
    await this.insist([1030, 1031], (axiam) => {
      const at = Object.assign(Object.create(phone), { root: axiam.api });
      return how === 'denied' ? at.deny(id)
        : how === 'cancelled' ? this.backend(axiam).post('/login/cancel', { verification_token: token })
          : at.scan([this.face.photo(1)], { signOn: id });
    });
  }

  /** The site's backend, asking this server. */
  backend(axiam) {
    return Object.assign(Object.create(this.site), { axiam });
  }

  /**
   * Asks one server after the other, as often as it takes: the answer of one that was killed may be
   * lost and what it did is not, so that a later try may be answered by one of the codes `done`.
   */
  async insist(done, ask) {
    for (let tries = 0; ; tries++) {
      try {
        const reply = await ask(this.servers[tries % this.servers.length]);
        if (reply.status === 200 || (tries > 0 && done.includes(reply.json?.code))) return;
        throw new Error(`${reply.status} ${reply.text}`);
      } catch (error) {
        // A challenge is refused with the same words by way of an assertion.
        if (tries > 0 && done.some((code) => error.message.includes(`"code":${code}`))) return;
        if (tries === 100) throw error;
        await sleep(200);
      }
    }
  }

  async settle(signOns) {
    const missing = () => signOns.filter(({ page }) => page.verdicts.length === 0);
    for (const end = Date.now() + PATIENCE; missing().length && Date.now() < end; await sleep(50));
    await sleep(AFTERWARDS);
    const wrong = signOns
      .filter(({ how, page }) => !page.heardOnce(ENDS[how]))
      .map(({ how, page }) => `${page.name}: ${how}, heard ${JSON.stringify(page.heard)}`);
    const proofs = signOns.filter(({ how }) => how === 'verified');
    for (const { page } of signOns) page.close();
    this.told.pages += signOns.length;
    this.told.verdicts += signOns.filter(({ how, page }) => page.heardOnce(ENDS[how])).length;
    assert.deepEqual(wrong, []);
    const { page, person } = proofs[0];
    // Another case may have killed the server just now.
    await this.insist([1040], (axiam) => this.backend(axiam).validateSession(page.verdicts[0].client_session_token, person.id));
  }
}

/**
 * A page that waits for the verdict of one sign-on. When it has it, it leaves after a moment, as
 * pages do; or it `stays`, and is then told again whenever it subscribes anew, as the contract says.
 */
class Page {
  constructor(open, token, name, stays) {
    Object.assign(this, { open, token, name, stays, heard: [] });
  }

  async begin() {
    this.client = this.open();
    const { outcome } = this.client.follow(LOGIN, { verification_token: this.token }, (message) => this.#hear(message));
    this.outcome = outcome.then((said) => assert.equal(said, 'confirmed', this.name));
  }

  #hear(message) {
    this.heard.push(message);
    if (isVerdict(message) && !this.stays) setTimeout(() => this.close(), MOMENT);
  }

  get verdicts() {
    return this.heard.filter(isVerdict);
  }

  /** Once in all; a page that stays, once for each time that it subscribed, and always the same. */
  heardOnce(status) {
    const { verdicts } = this;
    const once = verdicts.length === 1 || (this.stays && verdicts.length > 1
      && this.heard.every((message, at) => !isVerdict(message) || !this.#alreadyIn(at))
      && verdicts.every((verdict) => JSON.stringify(verdict) === JSON.stringify(verdicts[0])));
    return once && verdicts[0].status === status;
  }

  /** Whether the subscription that brought this message has brought a verdict before. */
  #alreadyIn(at) {
    const begun = this.heard.findLastIndex((message, before) => before < at && message.type === 'subscription_confirmed');
    return this.heard.slice(begun + 1, at).some(isVerdict);
  }

  close() {
    this.client.close();
  }
}

function isVerdict({ status }) {
  return ['verified', 'failed', 'denied', 'expired'].includes(status);
}
