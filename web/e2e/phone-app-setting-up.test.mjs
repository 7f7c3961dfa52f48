// Journey 2 with the phone app: a real browser with a camera that shows photos of real people.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';

import { data } from './support/http.mjs';
import { holdsSmallPictures, readKeys } from './support/phone-app.mjs';
import { Phone } from './support/phone.mjs';
import { PhoneWorld } from './support/phone-world.mjs';
import { people } from './support/photos.mjs';

const [owner, stranger] = people();

let world, site;
before(async () => {
  world = await PhoneWorld.open();
  ({ site } = world);
});
after(() => world?.close());
afterEach(() => world.putAway());

const status = async ({ verification_token }) => data(await site.status(verification_token)).status;

describe('setting up', () => {
  test('pairing, consent, the face: nothing is captured before the person agrees, and the consent is recorded', async () => {
    const { id, link } = await world.link('consent@shop.example');
    await world.camera.show(world.browser, owner.photo(0));
    const app = await world.phone();
    await app.page.addInitScript(() => {
      globalThis.opened = 0;
      const { mediaDevices } = navigator;
      const getUserMedia = mediaDevices.getUserMedia.bind(mediaDevices);
      mediaDevices.getUserMedia = (wanted) => { globalThis.opened++; return getUserMedia(wanted); };
    });
    const sent = [];
    app.page.on('request', (request) => sent.push(request));
    await app.follow(link);
    await app.pair();
    assert.equal(new URL(app.page.url()).hash, '', 'the token stays in the address');
    await app.press('Set up your face');
    await app.shows('consent');
    await app.says('Version 1 of this text');
    await app.press('Not now');
    await app.shows('home');
    await app.says('Face not set up');
    assert.equal(await app.page.evaluate(() => globalThis.opened), 0, 'the camera was opened before there was consent');
    assert.ok(!sent.some((request) => request.url().includes('/device/challenge')));
    await app.page.getByRole('button', { name: /shop\.example/ }).click();
    await app.shows('site');
    await app.press('Set up your face');
    await app.shows('consent');
    await app.press('I agree, scan my face');
    await app.shows('enrolled', 40_000);
    assert.equal(await app.page.evaluate(() => globalThis.opened), 1);
    const upload = sent.find((request) => request.url().endsWith('/device/facial'));
    const form = upload.postDataBuffer();
    assert.match(form.toString('latin1'), /"consent_version":"1"/);
    holdsSmallPictures(form);
    assert.equal(data(await site.post('/login/lookup_client', { email: 'consent@shop.example' })).facial_sign_on_enabled, true);
    assert.ok(id);
    assert.deepEqual(app.complaints, []);
  });

  test('the key is one of its own for each site, is kept, and cannot be read out', async () => {
    const other = await world.axiam.createSite('https://bank.example');
    await other.authenticate();
    const app = await world.phone();
    for (const one of [site, other]) {
      const { link } = await world.link('key@shop.example', one);
      await app.follow('about:blank');
      await app.follow(link);
      await app.pair();
    }
    const kept = await app.page.evaluate(readKeys);
    assert.equal(kept.length, 2);
    assert.deepEqual(kept.map(({ extractable, readable }) => [extractable, readable]), [[false, false], [false, false]]);
    assert.notEqual(kept[0].x, kept[1].x);
    await app.press('Not now');
    await app.shows('home');
    await app.page.reload();
    await app.shows('home');
    for (const name of ['shop.example', 'bank.example']) await app.says(name);
  });

  test('where the key cannot be kept nothing is paired, and the code is still good', async () => {
    const { link } = await world.link('full@shop.example');
    const app = await world.phone();
    await app.page.addInitScript(() => {
      IDBObjectStore.prototype.put = () => { throw new DOMException('full', 'QuotaExceededError'); };
    });
    const calls = [];
    app.page.on('request', (request) => calls.push(request.url()));
    await app.follow(link);
    await app.shows('pair');
    await app.press('Pair this phone');
    await app.shows('failed');
    await app.says('Nothing was paired');
    assert.ok(!calls.some((url) => url.includes('/device/register')), 'the server heard of a key that was not kept');
    data(await (await Phone.fromLink(link)).register());
  });

  test('a key that does not come back as it was stored is not paired', async () => {
    const { link } = await world.link('lossy@shop.example');
    const app = await world.phone();
    await app.page.addInitScript(() => {
      const { put } = IDBObjectStore.prototype;
      // As browsers did that could not store keys: the record is there, the key is not the one.
      IDBObjectStore.prototype.put = function lossy(kept) {
        return put.call(this, { ...kept, publicKey: { ...kept.publicKey, x: kept.publicKey.y, y: kept.publicKey.x } });
      };
    });
    await app.follow(link);
    await app.shows('pair');
    await app.press('Pair this phone');
    await app.shows('failed');
    data(await (await Phone.fromLink(link)).register());
  });

  test('a code works once', async () => {
    const { link } = await world.link('once@shop.example');
    data(await (await Phone.fromLink(link)).register());
    const app = await world.phone();
    await app.follow(link);
    await app.shows('pair');
    await app.press('Pair this phone');
    await app.shows('failed');
    await app.says('This code is no longer valid');
    assert.equal(await app.page.getByRole('button', { name: 'Try again' }).count(), 0);
    await app.press('Back');
    await app.shows('welcome');
  });

  test('what someone cannot do is asked once, checked, and kept with the pairing', async () => {
    const strict = await world.axiam.createSite('https://active.example');
    await world.axiam.must('site', 'set', strict.id, 'liveness=active');
    await strict.authenticate();
    const { link } = await world.link('limits@shop.example', strict);
    const app = await world.phone();
    await app.follow(link);
    await app.shows('pair');
    await app.page.locator('summary').click();
    for (const movement of ['Close my eyes', 'Open my mouth']) await app.page.getByLabel(movement).check();
    await app.press('Pair this phone');
    await app.says('Leave at least one turn of the head');
    await app.page.getByLabel('Open my mouth').uncheck();
    await app.page.getByLabel('Turn my head to the left').check();
    const [request] = await Promise.all([app.page.waitForRequest(/device\/register/), app.press('Pair this phone')]);
    assert.deepEqual(request.postDataJSON().without.sort(), ['blink', 'turn_left']);
    await app.shows('paired');
  });
});

describe('another phone', () => {
  const further = async (id, photo) => {
    const { enrollment_url: link } = await site.qrcode(id, 'login');
    await world.camera.show(world.browser, photo);
    const app = await world.phone();
    await app.follow(link);
    await app.pair();
    await app.says('Paired, not confirmed yet');
    return app;
  };

  test('waits until its person’s face is seen on it and the first one says yes', async () => {
    const { id, email, app } = await world.person('further@shop.example', owner.photo(0));
    const second = await further(id, owner.photo(1));
    await app.says('A new phone waits for your yes');
    await second.press('Set up your face');
    await second.press('I agree, scan my face');
    await second.shows('enrolled', 40_000);
    await second.press('Done');
    await second.says('Not confirmed yet');
    const unheard = await site.sendPush(email);
    await app.take();
    assert.equal(await second.waiting(), 0);
    await app.press('No, do not sign in');
    await app.press('Done');
    assert.equal(await status(unheard), 'denied');
    await app.page.getByRole('button', { name: /shop\.example/ }).click();
    await app.says('Did you do that just now?');
    await app.press('Yes, this phone is mine');
    await app.shows('site');
    const pushed = await site.sendPush(email);
    await second.take();
    await second.agree(pushed.number);
    await second.shows('verified');
    assert.equal(await status(pushed), 'verified');
  });

  test('is refused by the first one and knows it', async () => {
    const { id, app } = await world.person('thief@shop.example', owner.photo(0));
    const second = await further(id, stranger.photo(0));
    await app.page.getByRole('button', { name: /shop\.example/ }).click();
    await app.press('No, remove it');
    await app.shows('site');
    await second.press('Not now');
    await second.says('Not paired any more');
  });
});
