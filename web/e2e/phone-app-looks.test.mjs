// Every screen of the phone app: nothing that axe finds serious, nothing wider than the phone, light and dark, in both directions.
// With AXIAM_TEST_SHOTS=folder it leaves a picture of each there, to be looked at.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';

import { REPOSITORY } from './support/axiam.mjs';
import { seriousFaults } from './support/browser.mjs';
import { data } from './support/http.mjs';
import { IPHONE, MESSENGER } from './support/phone-app.mjs';
import { PhoneWorld } from './support/phone-world.mjs';
import { Phone } from './support/phone.mjs';
import { people } from './support/photos.mjs';

const [owner, stranger] = people();

const SHOTS = process.env.AXIAM_TEST_SHOTS;
const HAS_ENGINE = fs.readdirSync(path.join(REPOSITORY, 'web/build')).some((name) => /^engine\..*\.wasm$/.test(name));

/** Two phones: small, left to right; large, right to left. Each by day and by night. */
const PHONES = [
  { name: '360-en', locale: 'en-GB', viewport: { width: 360, height: 640 } },
  { name: '412-ar', locale: 'ar', viewport: { width: 412, height: 915 } },
];
const SCHEMES = ['light', 'dark'];

/** One phone that is led from screen to screen, by what buttons are, whatever their language. */
class Walk {
  looked = [];

  constructor(app, name) {
    this.app = app;
    this.page = app.page;
    this.name = name;
  }

  async look(screen, as = screen) {
    await this.app.shows(screen, 40_000);
    for (const scheme of SCHEMES) {
      await this.page.emulateMedia({ colorScheme: scheme });
      const about = `${this.name}-${scheme}-${as}`;
      assert.equal(await this.app.screen(), screen, 'it has gone on by itself');
      if (SHOTS) await this.page.screenshot({ path: path.join(SHOTS, `${about}.png`), fullPage: screen !== 'capture' && screen !== 'code' });
      // By night the colours are others, and nothing else is.
      assert.deepEqual(await seriousFaults(this.page, scheme === 'dark' ? ['color-contrast'] : null), [], about);
      const [wide, width] = await this.page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
      assert.ok(wide <= width, `${about} is ${wide} wide on ${width}`);
    }
    assert.equal(await this.page.locator('h1').count(), 1, as);
    this.looked.push(as);
  }

  press(selector) {
    return this.page.locator(`main ${selector}`).first().click();
  }

  /** To the first screen, by the one button. */
  async done() {
    await this.press('button.primary');
    await this.app.shows('home');
  }

  /** To the first screen, by the last button. */
  async back() {
    await this.press('> .actions:last-child button:last-child');
    await this.app.shows('home');
  }

  /** Opens the one site's screen. */
  async site() {
    await this.press('section:last-child button.card');
    await this.app.shows('site');
  }

  /** Opens a link and pairs; ends where the face could be set up. */
  async pair(link) {
    await this.app.follow('about:blank');
    await this.app.follow(link);
    await this.app.shows('pair');
    await this.press('button.primary');
    await this.app.shows('paired');
  }

  async enrol(link) {
    await this.pair(link);
    for (const screen of ['paired', 'consent', 'enrolled']) {
      await this.app.shows(screen, 40_000);
      await this.press('button.primary');
    }
    await this.app.shows('home');
  }

  /** Takes up the request that was just made. */
  async take() {
    await this.press('ul[aria-label] button.card');
    await this.app.shows('answer');
  }
}

let world, site;
before(async () => {
  world = await PhoneWorld.open();
  ({ site } = world);
});
after(() => world?.close());
afterEach(() => world.putAway());

for (const { name, ...options } of PHONES) {
  describe(`every screen, ${name}`, () => {
    /** A phone for a walk; `script` runs before the page's own. */
    const walk = async (more = {}, script = null) => {
      const app = await world.phone({ ...options, reducedMotion: 'reduce', ...more });
      if (script) await app.page.addInitScript(script);
      return new Walk(app, name);
    };

    test('from the code to a sign-on, and away', async () => {
      const on = await walk();
      const { app, page } = on;
      const email = `${name}@shop.example`;
      await app.follow(`${world.axiam.url}/phone/`);
      await on.look('welcome');
      assert.equal(await page.locator('html').getAttribute('dir'), options.locale === 'ar' ? 'rtl' : 'ltr');
      await world.camera.show(world.browser, owner.photo(0));
      await on.press('button.primary');
      await on.look('code');
      await on.press('button.cancel');
      const { link } = await world.link(email);
      await app.follow('about:blank');
      await app.follow(link);
      await app.shows('pair');
      await page.locator('summary').click();
      await on.look('pair');
      await on.press('button.primary');
      await on.look('paired');
      await on.press('button.primary');
      await on.look('consent');
      // From afar the capture waits, where there is an engine that sees it; where there is none, in the dark.
      await world.camera.show(world.browser, owner.photo(0), HAS_ENGINE ? { zoom: 0.4 } : { dark: true });
      await on.press('button.primary');
      await page.locator('.sentence.warn').waitFor();
      await on.look('capture');
      await on.press('button.cancel');
      await app.shows('home');
      await world.camera.show(world.browser, owner.photo(0));
      await on.site();
      await on.press('> .actions:last-child button.primary');
      await app.shows('consent');
      await on.press('button.primary');
      await on.look('enrolled');
      await on.press('button.primary');
      await on.look('home', 'home-empty');
      const pushed = await site.sendPush(email);
      await page.locator('ul[aria-label] button.card').first().waitFor();
      await on.look('home');
      await on.take();
      await on.look('answer');
      await world.camera.show(world.browser, stranger.photo(0));
      await app.agree(pushed.number);
      await on.look('failed', 'failed-face');
      await on.press('button.primary');
      await world.camera.show(world.browser, owner.photo(1));
      await app.agree(pushed.number);
      await on.look('verified');
      await on.done();
      for (const _ of Array(5)) await site.post('/login/cancel', { verification_token: (await site.sendPush(email)).verification_token });
      await on.press('section button.card');
      await on.look('site');
      await on.press('.split button');
      await on.look('unpair');
      await on.press('button:not(.danger)');
      await app.shows('site');
      await on.press('.actions button:nth-child(2)');
      await on.look('erase');
      await page.locator('#domain').fill('shop.example');
      await on.press('button.danger');
      await on.look('erased');
      assert.equal(on.looked.length, 16);
      // The refusal of the stranger's face is the one thing that Chromium itself writes down.
      assert.deepEqual(app.complaints.filter((text) => !/status of 401/.test(text)), []);
    });

    test('the ends of a request, and what may come between', async () => {
      const email = `ends-${name}@shop.example`;
      const { id, link } = await world.link(email);
      await world.camera.show(world.browser, owner.photo(0));
      const on = await walk({ permissions: ['camera', 'notifications'] },
        "if (sessionStorage.getItem('deaf')) globalThis.WebSocket = class { send() {} close() {} };");
      const { app, page } = on;
      await on.enrol(link);
      await on.look('home', 'home-offer');
      await on.press('.row button:last-child');
      await on.look('notifications', 'notifications-off');
      await on.back();
      await requests(on, id, email);
      data(await (await Phone.fromLink((await site.qrcode(id, 'login')).enrollment_url)).register({ name: 'A phone of somebody' }));
      await page.locator('.chip').first().waitFor();
      await on.look('home', 'home-new-phone');
      await on.site();
      await on.look('site', 'site-new-phone');
      await on.back();
      await app.context.setOffline(true);
      await page.locator('.notice:not([hidden])').waitFor();
      await on.look('home', 'home-offline');
      await app.context.setOffline(false);
      await page.locator('.notice').first().waitFor({ state: 'hidden' });
      await slowly(on);
      await cameras(on);
      assert.deepEqual(on.looked, ['home-offer', 'notifications-off', 'over', 'refused', 'answer-buttons', 'reported', 'home-new-phone', 'site-new-phone',
        'home-offline', 'checking', 'camera-ended', 'camera-black', 'camera-frozen']);
    });

    /** The ends of a request: taken back, refused, reported; and one whose number is picked. */
    async function requests(on, id, email) {
      const { page } = on;
      const answer = (nth) => on.press(`> .actions:last-child button:nth-child(${nth})`);
      const { verification_token } = await site.sendPush(email);
      await on.take();
      await site.post('/login/cancel', { verification_token });
      await on.look('over');
      await on.done();
      await site.sendPush(email);
      await on.take();
      await answer(1);
      await on.look('refused');
      await on.done();
      await page.route('**/login/pending', async (way) => {
        const response = await way.fetch();
        await way.fulfill({ response, body: (await response.text()).replace(/"choices":\[[^\]]*\]/, '"choices":[7,42,91]') });
      });
      await page.evaluate(() => sessionStorage.setItem('deaf', 'yes'));
      await page.reload();
      const picked = await site.sendPush(email);
      await on.take();
      await on.look('answer', 'answer-buttons');
      await site.post('/login/cancel', picked);
      await page.unrouteAll({ behavior: 'wait' });
      await page.evaluate(() => sessionStorage.clear());
      await page.reload();
      await on.app.shows('home');
      await site.push(id, { address: options.locale === 'ar' ? '198.51.100.7' : '198.51.100.8' });
      await on.take();
      await answer(2);
      await on.look('reported');
      await on.done();
    }

    /** A server that lets people wait. */
    async function slowly(on) {
      let go;
      const held = new Promise((resolve) => { go = resolve; });
      await on.page.route('**/login/recent', (way) => held.then(() => way.continue()));
      await on.press('section:last-child button.card');
      await on.page.locator('.busy + .stack:not([hidden])').waitFor();
      await on.look('checking');
      go();
      await on.app.shows('site');
      await on.back();
    }

    /** Cameras that fail while somebody poses. */
    async function cameras(on) {
      const scan = async () => {
        await on.site();
        await on.press('> .actions:last-child button:first-child');
        await on.app.shows('consent');
        await on.press('button.primary');
      };
      await world.camera.show(world.browser, owner.photo(0));
      await scan();
      await on.page.waitForFunction(() => document.querySelector('video')?.srcObject);
      await on.page.evaluate(() => document.querySelector('video').srcObject.getVideoTracks()[0].dispatchEvent(new Event('ended')));
      await on.look('camera-ended');
      await on.back();
      await world.camera.cover(world.browser);
      await scan();
      await on.look('camera-black');
      await on.back();
      await world.camera.show(world.browser, owner.photo(0), { still: true });
      await scan();
      await on.look('camera-frozen');
      await on.back();
    }

    test('pairings that are over, and notifications that are blocked', async () => {
      const lost = await world.link(`lost-${name}@shop.example`);
      const on = await walk();
      await on.pair(lost.link);
      await on.back();
      await on.press('.row button:last-child');
      await on.look('notifications', 'notifications-blocked');
      await on.back();
      data(await site.post('/client/delete', { id: lost.id }));
      await on.page.reload();
      await on.page.locator('.chip').first().waitFor();
      await on.look('home', 'home-lost');
      await on.press('section:last-child button.card');
      await on.look('lost');
      await on.press('button.primary');
      await on.app.shows('welcome');
      await on.pair((await world.link(`left-${name}@shop.example`)).link);
      await on.back();
      await on.site();
      await on.press('.split button');
      await on.press('button.danger');
      await on.look('unpaired');
    });

    const NOT_HERE = [
      ['install', { more: { userAgent: IPHONE } }],
      ['in-app', { more: { userAgent: MESSENGER } }],
      ['insecure', { script: "Object.defineProperty(globalThis, 'isSecureContext', { value: false });" }],
      ['storage', { script: "IDBFactory.prototype.open = () => { throw new DOMException('no', 'SecurityError'); };" }],
      ['failed', { as: 'failed-start', script: "IDBObjectStore.prototype.getAll = () => { throw new DOMException('no', 'UnknownError'); };" }],
    ];
    test('places where it does not go on', async () => {
      const { link } = await world.link(`nowhere-${name}@shop.example`);
      for (const [screen, { more, script, as }] of NOT_HERE) {
        const on = await walk(more, script);
        await on.app.follow(link);
        await on.look(screen, as);
      }
      const blind = await walk({}, "navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotFoundError'));");
      await blind.app.follow(`${world.axiam.url}/phone/`);
      await blind.press('button.primary');
      await blind.look('camera-none');
      const { qrcode_base64 } = await site.qrcode(await site.createClient(`there-${name}@shop.example`));
      await world.camera.show(world.browser, Buffer.from(qrcode_base64, 'base64'), { zoom: 0.8 });
      const elsewhere = await walk();
      await elsewhere.app.follow(`${world.axiam.url.replace('127.0.0.1', 'localhost')}/phone/`);
      await elsewhere.press('button.primary');
      await elsewhere.look('elsewhere');
    });
  });
}

describe('cameras, in German', () => {
  for (const problem of ['NotAllowedError', 'NotReadableError']) {
    test(problem, async () => {
      const app = await world.phone({ locale: 'de-AT' });
      await app.page.addInitScript(`navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', '${problem}'));`);
      await app.follow(`${world.axiam.url}/phone/`);
      await app.press('Code scannen');
      await app.page.locator('#app[data-screen^="camera-"]').waitFor();
      assert.deepEqual(await seriousFaults(app.page), []);
      assert.equal(await app.page.locator('html').getAttribute('lang'), 'de');
    });
  }
});
