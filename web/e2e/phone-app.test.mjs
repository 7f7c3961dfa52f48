// Journeys 2, 3 and 5 with the phone app: a real browser with a camera that shows photos of real people.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';

import { openBrowser } from './support/browser.mjs';
import { data, failure } from './support/http.mjs';
import { Phone } from './support/phone.mjs';
import { PhoneWorld } from './support/phone-world.mjs';
import { people } from './support/photos.mjs';
import { RelyingSite } from './support/relying-site.mjs';
import { usual, Widget } from './support/widget.mjs';

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

describe('signing in', () => {
  test('the widget shows a number, the phone asks for it and for the face, the page goes on', async () => {
    const shop = await world.axiam.createSite('http://127.0.0.1');
    await shop.authenticate();
    const relying = await RelyingSite.start(world.axiam, shop);
    const computer = await openBrowser();
    try {
      const { email, app } = await world.person('widget@shop.example', owner.photo(0), { site: shop });
      await world.camera.show(world.browser, owner.photo(1));
      const page = await computer.newPage();
      await page.goto(relying.page('sign-in', { script: usual() }));
      const widget = new Widget(page);
      const number = await widget.ask(email);
      const asked = Date.now();
      await app.page.locator('ul[aria-label] button.card').first().waitFor();
      console.log(`      listed on the phone ${Date.now() - asked} ms after the page had its number`);
      await app.take();
      const sending = app.page.waitForRequest(/verify_token/);
      const taken = Date.now();
      await app.agree(number);
      holdsSmallPictures((await sending).postDataBuffer());
      await app.shows('verified');
      console.log(`      from the number to the verdict on the phone: ${Date.now() - taken} ms`);
      await app.says('You can go back to the other screen.');
      await page.getByRole('heading', { name: `Hello ${email}` }).waitFor();
      assert.deepEqual(app.complaints, []);
    } finally {
      await computer.close();
      await relying.stop();
    }
  });

  test('a request says where it comes from, and needs no number where none is shown', async () => {
    const { id, app } = await world.person('from@shop.example', owner.photo(0));
    const pushed = await site.push(id, { address: '192.0.2.7' });
    await app.take();
    await app.says('Firefox on Linux');
    await app.agree(null);
    await app.shows('verified');
    assert.equal(await status(pushed), 'verified');
  });

  test('without the cable the app asks by itself, and of a few choices one is picked', async () => {
    const { email, app } = await world.person('typed@shop.example', owner.photo(0));
    let pushed;
    const choices = () => (pushed ? [pushed.number, 100 + pushed.number, 200] : []);
    await app.page.addInitScript(() => {
      globalThis.WebSocket = class { send() {} close() {} };
    });
    await app.page.route('**/login/pending', async (route) => {
      const response = await route.fetch();
      const few = `"choices":[${choices()}]`;
      await route.fulfill({ response, body: (await response.text()).replace(/"choices":\[[^\]]*\]/, few) });
    });
    await app.page.reload();
    await app.shows('home');
    pushed = await site.sendPush(email);
    await app.take();
    await app.says('Choose the number that the website shows');
    await app.agree(pushed.number);
    await app.shows('verified');
    assert.equal(await status(pushed), 'verified');
  });

  test('a number that is none is asked for again, and costs nothing', async () => {
    const { email, app } = await world.person('digits@shop.example', owner.photo(0));
    const pushed = await site.sendPush(email);
    await app.take();
    await app.press('Scan my face');
    await app.says('Type the two digits that the website shows.');
    assert.equal(await app.screen(), 'answer');
    await app.agree(pushed.number);
    await app.shows('verified');
  });

  test('another person’s face is told, and the right one may still try', async () => {
    const { email, app } = await world.person('wrong@shop.example', owner.photo(0));
    const pushed = await site.sendPush(email);
    await world.camera.show(world.browser, stranger.photo(0));
    await app.take();
    await app.agree(pushed.number);
    await app.shows('failed');
    await app.says('Your face was not recognised. Tries left: 2.');
    await app.says('Code 1036');
    await world.camera.show(world.browser, owner.photo(1));
    await app.press('Try again');
    await app.shows('answer');
    await app.agree(pushed.number);
    await app.shows('verified');
    assert.equal(await status(pushed), 'verified');
  });

  test('no', async () => {
    const { email, app } = await world.person('no@shop.example', owner.photo(0));
    const pushed = await site.sendPush(email);
    await app.take();
    await app.press('No, do not sign in');
    await app.shows('refused');
    assert.equal(await status(pushed), 'denied');
    await app.press('Done');
    await app.shows('home');
    await app.says('Nothing is waiting');
  });

  test('"this was not me" ends it and stops what comes from there', async () => {
    const { id, app } = await world.person('notme@shop.example', owner.photo(0));
    const address = '198.51.100.23';
    const pushed = await site.push(id, { address });
    await app.take();
    await app.press('This was not me');
    await app.shows('reported');
    assert.equal(await status(pushed), 'denied');
    const again = await site.post('/login/push_notification', { id }, { headers: { 'x-forwarded-for': address } });
    failure(again, 1016, 1022, 1023, 1026);
  });

  test('what the page takes back is over on the phone, also while the camera is open', async () => {
    const { email, app } = await world.person('back@shop.example', owner.photo(0));
    const first = await site.sendPush(email);
    await app.take();
    data(await site.post('/login/cancel', { verification_token: first.verification_token }));
    await app.shows('over');
    await app.says('This request is over');
    await app.press('Done');
    const second = await site.sendPush(email);
    await app.take();
    await app.agree(second.number);
    await app.shows('capture');
    data(await site.post('/login/cancel', { verification_token: second.verification_token }));
    await app.shows('over');
    await app.press('Done');
    await app.shows('home');
  });

  test('a photo proves no life where the site asks for movements', async () => {
    const strict = await world.axiam.createSite('https://moving.example');
    await world.axiam.must('site', 'set', strict.id, 'liveness=active');
    await strict.authenticate();
    const { link } = await world.link('photo@moving.example', strict);
    await world.camera.show(world.browser, owner.photo(0));
    const app = await world.phone();
    await app.follow(link);
    await app.pair();
    await app.press('Set up your face');
    const asked = app.page.waitForResponse(/device\/challenge/);
    const sending = app.page.waitForRequest(/device\/facial/, { timeout: 60_000 });
    await app.press('I agree, scan my face');
    const { steps } = (await (await asked).json()).data;
    const form = (await sending).postDataBuffer();
    const { frames } = JSON.parse(form.toString('latin1').match(/\{"nonce".*?\}\]\}/)[0]);
    assert.deepEqual([...new Set(frames.map(({ step }) => step))], steps.map(({ id }) => id), 'the steps are not in their order');
    assert.ok(frames.length <= 12 && frames.every(({ t_ms }, at) => at === 0 || t_ms > frames[at - 1].t_ms));
    holdsSmallPictures(form);
    await app.shows('failed');
    await app.says('Code 1037');
    assert.equal(data(await strict.post('/login/lookup_client', { email: 'photo@moving.example' })).facial_sign_on_enabled, false);
  });
});

describe('leaving', () => {
  test('the person sees their phones, unpairs another one and then this one', async () => {
    const { id, app } = await world.person('phones@shop.example', owner.photo(0));
    const second = await Phone.fromLink((await site.qrcode(id)).enrollment_url);
    data(await second.register({ name: 'My old phone' }));
    await app.page.getByRole('button', { name: /shop\.example/ }).click();
    await app.shows('site');
    await app.says('My old phone');
    await app.press('Yes, this phone is mine');
    await app.shows('site');
    await app.page.getByRole('listitem').filter({ hasText: 'My old phone' }).getByRole('button', { name: 'Unpair', exact: true }).click();
    await app.shows('unpair');
    await app.says('My old phone can then no longer sign you in');
    await app.press('Unpair');
    await app.shows('site');
    assert.equal(await app.page.getByText('My old phone').count(), 0);
    failure(await second.send('GET', '/device'), 1050);
    await app.press('Unpair this phone');
    await app.shows('unpair');
    await app.press('Unpair');
    await app.shows('unpaired');
    assert.deepEqual(await app.page.evaluate(readKeys), []);
    failure(await site.post('/login/push_notification', { id }), 1012);
  });

  test('erasing names what is lost, wants the address typed, and gives a receipt that can be checked', async () => {
    const { id, app } = await world.person('erase@shop.example', owner.photo(0));
    await app.page.getByRole('button', { name: /shop\.example/ }).click();
    await app.shows('site');
    await app.press('Erase my face');
    await app.shows('erase');
    await app.page.getByLabel('Type shop.example to go on').fill('shop');
    await app.press('Erase my face');
    await app.says('This is not shop.example.');
    await app.page.getByLabel('Type shop.example to go on').fill('shop.example');
    await app.press('Erase my face');
    await app.shows('erased');
    const receipt = await app.page.locator('.receipt').textContent();
    const { keys } = await (await fetch(`${world.axiam.url}/.well-known/jwks.json`)).json();
    const claims = await verified(receipt, keys);
    assert.deepEqual([claims.sub, claims.by, claims.erased.devices], [id, 'client', 1]);
    const [download] = await Promise.all([app.page.waitForEvent('download'), app.page.getByText('Save the receipt').click()]);
    assert.match(download.suggestedFilename(), /^axiam-receipt-shop\.example\.jwt$/);
    assert.deepEqual(await app.page.evaluate(readKeys), []);
    failure(await site.send('GET', `/client/${id}`), 1007);
    await app.press('Done');
    await app.shows('welcome');
  });

  test('a phone that was unpaired elsewhere says so and lets itself be tidied away', async () => {
    const { id, app } = await world.person('lost@shop.example', owner.photo(0));
    data(await site.post('/client/delete', { id }));
    await app.page.reload();
    await app.says('Not paired any more');
    await app.page.getByRole('button', { name: /shop\.example/ }).click();
    await app.shows('lost');
    await app.press('Remove from this list');
    await app.shows('welcome');
  });
});

/** A form holds at most 12 JPEGs, none larger than 640 either way, and less than 1 MB. */
function holdsSmallPictures(form) {
  assert.ok(form.length < 1_000_000, `${form.length} bytes`);
  const sizes = [];
  // A frame header of a baseline JPEG (ITU-T T.81, B.2.2) follows each start of an image.
  for (let at = form.indexOf('\xff\xd8\xff', 0, 'latin1'); at >= 0; at = form.indexOf('\xff\xd8\xff', at + 1, 'latin1')) {
    const frame = form.indexOf('\xff\xc0', at, 'latin1');
    sizes.push([form.readUInt16BE(frame + 7), form.readUInt16BE(frame + 5)]);
  }
  assert.ok(sizes.length >= 1 && sizes.length <= 12, `${sizes.length} pictures`);
  for (const [width, height] of sizes) assert.ok(Math.max(width, height) === 640, `${width} × ${height}`);
  console.log(`      ${sizes.length} pictures, ${Math.round(form.length / 1000)} KB`);
}

/** The claims of a receipt whose signature is by one of these keys. */
async function verified(receipt, keys) {
  const [head, body, signature] = receipt.split('.');
  const bytes = (text) => Buffer.from(text, 'base64url');
  const { kid } = JSON.parse(bytes(head));
  const rules = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const key = await crypto.subtle.importKey('jwk', keys.find((one) => one.kid === kid), rules, false, ['verify']);
  assert.ok(await crypto.subtle.verify(rules, key, bytes(signature), Buffer.from(`${head}.${body}`)));
  return JSON.parse(bytes(body));
}

// Runs in the page: what is in the store, and whether a key can be read.
async function readKeys() {
  const database = await new Promise((resolve) => {
    const request = indexedDB.open('axiam-phone');
    request.onsuccess = () => resolve(request.result);
  });
  const kept = await new Promise((resolve) => {
    const request = database.transaction('pairings').objectStore('pairings').getAll();
    request.onsuccess = () => resolve(request.result);
  });
  database.close();
  return Promise.all(kept.map(async ({ privateKey, publicKey }) => ({
    extractable: privateKey.extractable,
    readable: await crypto.subtle.exportKey('jwk', privateKey).then(() => true, () => false),
    x: publicKey.x,
  })));
}
