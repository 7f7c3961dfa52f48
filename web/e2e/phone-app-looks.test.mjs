// Every screen of the phone app: nothing that axe finds serious, nothing wider than the phone, light and dark, in both directions.
// With AXIAM_TEST_SHOTS=folder it leaves a picture of each there, to be looked at.

import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';

import { seriousFaults } from './support/browser.mjs';
import { PhoneWorld } from './support/phone-world.mjs';
import { people } from './support/photos.mjs';

const [owner, stranger] = people();

const SHOTS = process.env.AXIAM_TEST_SHOTS;

/** Two phones: small, light, left to right; large, dark, right to left. */
const LOOKS = [
  { name: 'light-360-en', locale: 'en-GB', colorScheme: 'light', viewport: { width: 360, height: 640 } },
  { name: 'dark-412-ar', locale: 'ar', colorScheme: 'dark', viewport: { width: 412, height: 915 } },
];

describe('every screen', () => {
  let world, site;
  before(async () => {
    world = await PhoneWorld.open();
    ({ site } = world);
  });
  after(() => world?.close());

  for (const { name, ...options } of LOOKS) {
    test(name, async () => {
      const app = await world.phone({ ...options, reducedMotion: 'reduce' });
      const { page } = app;
      const email = `${name}@shop.example`;
      const looked = [];
      const look = async (screen, as = screen) => {
        await app.shows(screen, 40_000);
        if (SHOTS) await page.screenshot({ path: path.join(SHOTS, `${name}-${as}.png`) });
        assert.deepEqual(await seriousFaults(page), [], as);
        const [wide, width] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
        assert.ok(wide <= width, `${as} is ${wide} wide on ${width}`);
        assert.equal(await page.locator('h1').count(), 1, as);
        looked.push(as);
      };
      /** Buttons by what they are, whatever their language. */
      const press = (selector) => page.locator(`main ${selector}`).first().click();

      await app.follow(`${world.axiam.url}/phone/`);
      await look('welcome');
      assert.equal(await page.locator('html').getAttribute('dir'), options.locale === 'ar' ? 'rtl' : 'ltr');
      await world.camera.show(world.browser, owner.photo(0));
      await press('button.primary');
      await look('code');
      await press('button.cancel');
      const { link } = await world.link(email);
      await app.follow('about:blank');
      await app.follow(link);
      await app.shows('pair');
      await page.locator('summary').click();
      await look('pair');
      await press('button.primary');
      await look('paired');
      await press('button.primary');
      await look('consent');
      await press('button.primary');
      await page.waitForFunction(() => document.querySelector('.movement'));
      await look('capture');
      await look('enrolled');
      await press('button.primary');
      await look('home', 'home-empty');
      const pushed = await site.sendPush(email);
      await page.locator('ul[aria-label] button.card').first().waitFor();
      await look('home');
      await press('button.card');
      await look('answer');
      await world.camera.show(world.browser, stranger.photo(0));
      await app.agree(pushed.number);
      await look('failed', 'failed-face');
      await press('button.primary');
      await world.camera.show(world.browser, owner.photo(1));
      await app.agree(pushed.number);
      await look('verified');
      await press('button.primary');
      await app.shows('home');
      await press('.row button:last-child');
      await look('notifications');
      await press('.actions button:last-child');
      await app.shows('home');
      for (const _ of Array(5)) await site.post('/login/cancel', { verification_token: (await site.sendPush(email)).verification_token });
      await press('section button.card');
      await look('site');
      await press('.split button');
      await look('unpair');
      await press('button:not(.danger)');
      await app.shows('site');
      await press('.actions button:nth-child(2)');
      await look('erase');
      await page.locator('#domain').fill('shop.example');
      await press('button.danger');
      await look('erased');
      assert.equal(looked.length, 17);
      // The refusal of the stranger's face is the one thing that Chromium itself writes down.
      assert.deepEqual(app.complaints.filter((text) => !/status of 401/.test(text)), []);
    });
  }

  for (const problem of ['NotAllowedError', 'NotReadableError']) {
    test(`a camera that says ${problem}, in German`, async () => {
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
