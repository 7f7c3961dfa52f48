// The phone app where what was said is not heard, or cannot be kept: servers that refuse for a while, replies that are lost, stores
// that fail, screens that wait.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';

import { sleep } from './support/axiam.mjs';
import { data, request } from './support/http.mjs';
import { IPHONE, readKeys } from './support/phone-app.mjs';
import { PhoneWorld } from './support/phone-world.mjs';
import { people } from './support/photos.mjs';

const [owner] = people();

let world, site;
before(async () => {
  world = await PhoneWorld.open();
  ({ site } = world);
});
after(() => world?.close());
afterEach(() => world.putAway());

const status = async ({ verification_token }) => data(await site.status(verification_token)).status;
const openSite = (app) => app.page.getByRole('button', { name: /shop\.example/ }).last().click();

/** Fails the store for what `when` says of the record (a text of a function's body). */
const failing = (method, when = 'true') => `{
  const own = IDBObjectStore.prototype.${method};
  IDBObjectStore.prototype.${method} = function (kept) {
    if (${when}) throw new DOMException('full', 'QuotaExceededError');
    return own.apply(this, arguments);
  };
}`;

/** The server comes back with other settings. */
async function restarted(settings) {
  await world.axiam.halt('SIGTERM');
  Object.assign(world.axiam.environment, settings);
  await world.axiam.again();
}

describe('a pairing', () => {
  test('outlives a server that is started with a wrong address', async () => {
    const { app, email } = await world.person('wrongly@shop.example', owner.photo(0));
    await restarted({ AXIAM_SERVER_PUBLIC_URL: 'https://wrong.example' });
    try {
      const refused = await app.page.waitForResponse((response) => response.url().endsWith('/login/pending') && response.status() === 401);
      assert.equal((await refused.json()).code, 1050);
      await app.says('No connection');
      assert.equal(await app.page.getByText('Not paired any more').count(), 0);
    } finally {
      await restarted({ AXIAM_SERVER_PUBLIC_URL: undefined });
    }
    await app.page.getByText('No connection').waitFor({ state: 'hidden', timeout: 30_000 });
    const pushed = await site.sendPush(email);
    await app.take();
    await app.agree(pushed.number);
    await app.shows('verified');
  });

  test('outlives its site being switched off, and one that was taken for lost is asked for at the next start', async () => {
    const { app, email } = await world.person('off@shop.example', owner.photo(0));
    await world.axiam.must('site', 'disable', site.id);
    try {
      await app.page.reload();
      await app.shows('home');
      await app.says('No connection');
      assert.equal(await app.page.getByText('Not paired any more').count(), 0);
    } finally {
      await world.axiam.must('site', 'enable', site.id);
    }
    await app.page.reload();
    await app.shows('home');
    await app.page.getByText('No connection').waitFor({ state: 'hidden' });
    // The server says so, and takes it back: a database that was restored, say.
    const gone = { success: false, code: 1050, http_code: 401, details: { reason: 'unpaired' } };
    await app.page.route('**/api/v1/facial_sign_on/**', (route) => route.fulfill({ status: 401, json: gone }));
    await app.page.reload();
    await app.says('Not paired any more');
    await app.page.unroute('**/api/v1/facial_sign_on/**');
    await app.page.reload();
    await app.shows('home');
    await app.page.getByText('Not paired any more').waitFor({ state: 'hidden' });
    await site.sendPush(email);
    await app.take();
  });
});

describe('a reply that is lost', () => {
  /** The server gets what is sent there, and its reply never comes: so many times, or for good. */
  const deaf = (app, route, times = Infinity) => {
    let lost = 0;
    return app.page.route(route, async (way) => {
      if (lost++ >= times) return way.continue();
      await way.fetch();
      return way.abort('connectionreset');
    });
  };

  test('of a yes: the person reads that they are signed in', async () => {
    const { app, email } = await world.person('unheard@shop.example', owner.photo(0));
    const pushed = await site.sendPush(email);
    await deaf(app, '**/login/verify_token', 1);
    await app.take();
    await app.agree(pushed.number);
    await app.shows('verified');
    assert.equal(await status(pushed), 'verified');
  });

  test('of a pairing: it is paired once, also by whoever tries again', async () => {
    for (const [lost, email] of [[1, 'once@shop.example'], [2, 'again@shop.example']]) {
      const { id, link } = await world.link(email);
      const app = await world.phone();
      await app.follow(link);
      await app.shows('pair');
      await deaf(app, '**/device/register', lost);
      await app.press('Pair this phone');
      if (lost === 2) {
        await app.shows('failed');
        await app.press('Try again');
        await app.shows('pair');
        await app.press('Pair this phone');
      }
      await app.shows('paired');
      const { devices } = data(await site.send('GET', `/client/${id}`));
      assert.equal(devices.length, 1);
    }
  });

  test('of both tries, and of both again: the same', async () => {
    const { app, email } = await world.person('twice@shop.example', owner.photo(0));
    const pushed = await site.sendPush(email);
    await deaf(app, '**/login/verify_token');
    await app.take();
    await app.agree(pushed.number);
    await app.shows('failed');
    await app.page.unroute('**/login/verify_token');
    await app.press('Try again');
    await app.shows('verified');
    assert.equal(await status(pushed), 'verified');
  });

  test('of an answer that reaches the server late: the cable tells that it is over, and the person how', async () => {
    const { app, email } = await world.person('late@shop.example', owner.photo(0));
    const pushed = await site.sendPush(email);
    let arrive;
    await app.page.route('**/login/verify_token', (way) => {
      const asked = way.request();
      arrive = () => request(asked.url(), { method: 'POST', headers: asked.headers(), body: asked.postDataBuffer() });
      return way.abort('connectionreset');
    });
    await app.take();
    await app.agree(pushed.number);
    await app.shows('failed');
    data(await arrive());
    await app.shows('verified');
  });

  test('of a wrong number, which ends the request: that it failed, and not that somebody took it back', async () => {
    const shown = await world.axiam.createSite('https://numbers.example');
    await world.axiam.must('site', 'set', shown.id, 'number_matching=true');
    await shown.authenticate();
    const { app, email } = await world.person('number@numbers.example', owner.photo(0), { site: shown });
    const pushed = await shown.sendPush(email);
    await deaf(app, '**/login/verify_token', 1);
    await app.take();
    await app.agree((pushed.number + 1) % 100);
    await app.shows('failed');
    await app.says('Your answer was not accepted');
    assert.equal(await app.page.getByRole('button', { name: 'Try again' }).count(), 0);
    await app.press('Done');
    await app.shows('home');
  });

  test('of a no: that nobody was signed in', async () => {
    const { app, email } = await world.person('denied@shop.example', owner.photo(0));
    const pushed = await site.sendPush(email);
    await deaf(app, '**/login/deny', 1);
    await app.take();
    await app.press('No, do not sign in');
    await app.shows('refused');
    assert.equal(await status(pushed), 'denied');
  });

  test('of unpairing: the phone is unpaired, and the person reads it', async () => {
    const { link } = await world.link('gone@shop.example');
    const app = await world.phone();
    await app.follow(link);
    await app.pair();
    await app.press('Not now');
    await openSite(app);
    await app.press('Unpair this phone');
    await deaf(app, /\/device\/[0-9a-f-]{36}$/, 1);
    await app.press('Unpair');
    await app.shows('failed');
    await app.press('Try again');
    await app.shows('unpaired');
    assert.deepEqual(await app.page.evaluate(readKeys), []);
  });

  test('of an answer to what was taken back meanwhile: that it was', async () => {
    const { app, email } = await world.person('other@shop.example', owner.photo(0));
    const pushed = await site.sendPush(email);
    await app.page.route('**/login/verify_token', (way) => way.abort('connectionreset'));
    await app.take();
    await app.agree(pushed.number);
    await app.shows('failed');
    data(await site.post('/login/cancel', { verification_token: pushed.verification_token }));
    await app.shows('over');
    await app.says('This request is over');
  });
});

describe('a store that fails', () => {
  test('after the server has taken the phone: it is told to forget it, and the person reads that the code is used', async () => {
    const { link } = await world.link('halfway@shop.example');
    const app = await world.phone();
    await app.page.addInitScript(failing('put', "'token' in kept"));
    const forgotten = app.page.waitForResponse((response) => response.request().method() === 'DELETE');
    await app.follow(link);
    await app.shows('pair');
    await app.press('Pair this phone');
    await app.shows('failed');
    await app.says('Nothing was paired');
    await app.says('This code is no longer valid');
    assert.equal((await forgotten).status(), 200);
    assert.deepEqual(await app.page.evaluate(readKeys), []);
    await app.press('Back');
    await app.shows('welcome');
  });

  test('and a server that cannot be told then: it is not claimed that nothing was paired', async () => {
    const { link } = await world.link('untold@shop.example');
    const app = await world.phone();
    await app.page.addInitScript(failing('put', "'token' in kept"));
    await app.page.route(/\/device\/[0-9a-f-]{36}$/, (way) => way.abort('connectionreset'));
    await app.follow(link);
    await app.shows('pair');
    await app.press('Pair this phone');
    await app.shows('failed');
    await app.says('What Axiam keeps on this phone cannot be read or written now.');
    assert.equal(await app.page.getByText('Nothing was paired').count(), 0);
  });

  test('in erasing: the receipt is given all the same', async () => {
    const { app } = await world.person('receipt@shop.example', owner.photo(0));
    await app.page.evaluate(failing('delete'));
    await openSite(app);
    await app.shows('site');
    await app.press('Erase my face');
    await app.page.getByLabel('Type shop.example to go on').fill('shop.example');
    await app.press('Erase my face');
    await app.shows('erased');
    await sleep(1_000);
    assert.match(await app.page.locator('.receipt').textContent(), /^[\w-]+\.[\w-]+\.[\w-]+$/);
    await app.press('Done');
    await app.shows('welcome');
  });

  test('at the start: the person reads it in their language, and may load again', async () => {
    const app = await world.phone({ locale: 'de-AT' });
    await app.page.addInitScript(failing('getAll', "!sessionStorage.getItem('well')"));
    await app.follow(`${world.axiam.url}/phone/`);
    await app.shows('failed');
    await app.says('Was Axiam auf diesem Telefon aufbewahrt');
    await app.page.evaluate(() => sessionStorage.setItem('well', 'yes'));
    await app.press('Neu laden');
    await app.shows('welcome');
  });
});

describe('waiting', () => {
  test('to be paired: whoever has gone back finds the site', async () => {
    const { link } = await world.link('patient@shop.example');
    const app = await world.phone();
    let go;
    const held = new Promise((resolve) => { go = resolve; });
    await app.page.route('**/device/register', (way) => held.then(() => way.continue()));
    await app.follow(link);
    await app.shows('pair');
    await app.press('Pair this phone');
    await app.says('This takes longer than usual.');
    await app.press('Back');
    await app.shows('welcome');
    go();
    await app.shows('home');
    await app.says('shop.example');
  });

  test('for a server that is slow there is a way back, from which nobody is called away', async () => {
    const { app } = await world.person('slow@shop.example', owner.photo(0));
    let go;
    const held = new Promise((resolve) => { go = resolve; });
    await app.page.route('**/login/recent', async (way) => {
      await held;
      await way.continue();
    });
    await openSite(app);
    await app.shows('checking');
    assert.equal(await app.page.getByRole('button', { name: 'Back' }).count(), 0, 'usually nobody waits that long');
    await app.says('This takes longer than usual.');
    await app.press('Back');
    await app.shows('home');
    const replied = app.page.waitForResponse('**/login/recent');
    go();
    await replied;
    await sleep(300);
    assert.equal(await app.screen(), 'home');
  });

  test('to install: there is a way back from what to do, and the code leaves the address', async () => {
    const { link } = await world.link('tab@shop.example');
    const app = await world.phone({ userAgent: IPHONE });
    await app.follow(link);
    await app.shows('install');
    await app.press('Back');
    await app.shows('welcome');
    assert.equal(new URL(app.page.url()).hash, '');
    await app.press('Scan a code');
    await app.shows('install');
    await app.press('Back');
    await app.shows('welcome');
  });

  test('while nothing is heard the list stays as it is, and so does the focus', async () => {
    const { app, email } = await world.person('focus@shop.example', owner.photo(0));
    await app.page.addInitScript(() => { globalThis.WebSocket = class { send() {} close() {} }; });
    await app.page.reload();
    await app.shows('home');
    await site.sendPush(email);
    const card = app.page.locator('ul[aria-label] button.card').first();
    await card.waitFor();
    await card.focus();
    const asked = () => app.page.waitForResponse('**/login/pending');
    await asked();
    await asked();
    await sleep(200);
    assert.ok(await card.evaluate((element) => element === document.activeElement), 'the focus is lost');
    // Another one comes: it is put before, and the focus stays where it is.
    await site.sendPush(email);
    await app.page.locator('ul[aria-label] > li').nth(1).waitFor();
    assert.equal(await app.page.evaluate(() => document.activeElement.closest('li') === document.querySelector('ul[aria-label] > li:last-child')), true);
  });

  test('for a new version: another tab lets it in, and this one goes on posing', async () => {
    const { app, email } = await world.person('posing@shop.example', owner.photo(0));
    await app.page.evaluate(() => navigator.serviceWorker.ready);
    await app.page.reload();
    await app.shows('home');
    await app.page.evaluate(() => { globalThis.isSame = true; });
    const pushed = await site.sendPush(email);
    await app.take();
    await app.agree(pushed.number);
    await app.shows('capture');
    await app.page.evaluate(() => navigator.serviceWorker.dispatchEvent(new Event('controllerchange')));
    await app.shows('verified');
    assert.equal(await app.page.evaluate(() => globalThis.isSame), true, 'the page was loaded anew in the middle of a capture');
    await app.press('Done');
    await app.page.waitForFunction(() => !globalThis.isSame);
    await app.shows('home');
  });
});
