// What the phone app does with a push, in a real Chromium. The subscription is made up by the test, which stands in for push service and
// browser: it takes what the server posts, opens it with an independent library, and hands the text to the service worker. That browsers
// open it themselves is in push-in-firefox.test.mjs and push-in-chromium.test.mjs.

import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import http from 'node:http';
import { after, afterEach, before, test } from 'node:test';

import ece from 'http_ece';

import { data } from './support/http.mjs';
import { PhoneWorld } from './support/phone-world.mjs';
import { people } from './support/photos.mjs';

const [owner] = people();

/** What Chromium's push service would be: addresses, what was posted to each, and the keys that open it. */
class PushService {
  static async open() {
    const service = new PushService();
    service.waiting = [];
    service.messages = [];
    service.server = http.createServer(async (request, response) => {
      const parts = [];
      for await (const part of request) parts.push(part);
      response.writeHead(201).end();
      service.messages.push({ path: request.url, headers: request.headers, body: Buffer.concat(parts) });
      service.waiting.splice(0).forEach((go) => go());
    });
    await new Promise((resolve) => service.server.listen(0, '127.0.0.1', resolve));
    service.origin = `http://127.0.0.1:${service.server.address().port}`;
    return service;
  }

  /** A subscription as a browser would have it. */
  subscription(name) {
    const keys = crypto.createECDH('prime256v1');
    keys.generateKeys();
    const auth = crypto.randomBytes(16).toString('base64url');
    const json = { endpoint: `${this.origin}/${name}`, expirationTime: null, keys: { p256dh: keys.getPublicKey('base64url'), auth } };
    return { json, open: ({ body }) => ece.decrypt(body, { version: 'aes128gcm', privateKey: keys, authSecret: auth }).toString() };
  }

  /** The next message that was posted. */
  async next() {
    while (!this.messages.length) await new Promise((go) => { this.waiting.push(go); });
    return this.messages.shift();
  }

  close() {
    this.server.closeAllConnections();
    this.server.close();
  }
}

/** Has the page subscribe with the stand-in; what it asked for is kept in `globalThis.asked`. */
function standIn(json) {
  globalThis.asked = [];
  let current = null;
  const subscription = (key) => ({
    endpoint: json.endpoint,
    options: { applicationServerKey: Uint8Array.from(atob(key.replaceAll('-', '+').replaceAll('_', '/')), (sign) => sign.charCodeAt(0)).buffer },
    toJSON: () => json,
    unsubscribe: async () => { current = null; return true; },
  });
  Object.assign(PushManager.prototype, {
    getSubscription: async () => current,
    subscribe: async (options) => {
      globalThis.asked.push(options);
      current = subscription(options.applicationServerKey);
      return current;
    },
  });
}

/** Hands a text to the service worker as a push, of which another notification is to come unless told. */
async function deliver(app, text, { isAnother = true } = {}) {
  // A push to a worker that is not active yet is lost, and nobody says so.
  await app.page.evaluate(() => navigator.serviceWorker.ready.then(({ active }) => active?.state === 'activated'
    || new Promise((resolve) => active.addEventListener('statechange', () => active.state === 'activated' && resolve(true)))));
  const session = await app.context.newCDPSession(app.page);
  const { origin } = new URL(app.page.url());
  const isOurs = ({ scopeURL, isDeleted }) => scopeURL.startsWith(origin) && !isDeleted;
  const registered = new Promise((resolve) => {
    session.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => registrations.some(isOurs) && resolve(registrations.find(isOurs)));
  });
  await session.send('ServiceWorker.enable');
  const { registrationId } = await registered;
  // Chromium drops one now and then that comes while the worker is being stopped; push services bring it again.
  const before = (await shown(app)).length;
  for (let times = 0; times < 3; times++) {
    await session.send('ServiceWorker.deliverPushMessage', { origin, registrationId, data: text });
    const isShown = await until(() => shown(app), (seen) => seen.length > (isAnother ? before : 0), '', 60).catch(() => null);
    if (isShown) break;
  }
  await session.detach();
}

const shown = (app) => app.page.evaluate(async () => {
  const registration = await navigator.serviceWorker.ready;
  return (await registration.getNotifications()).map(({ title, body, tag, lang, data: told }) => ({ title, body, tag, lang, told }));
});

async function until(look, isSo, what, rounds = 200) {
  for (let round = 0; round < rounds; round++) {
    const seen = await look();
    if (isSo(seen)) return seen;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return assert.fail(`never: ${what}`);
}

/** The phone's person looks at something else, or at the app again. */
const see = (page, state) => page.evaluate((now) => {
  Object.defineProperty(document, 'visibilityState', { value: now, configurable: true });
  document.dispatchEvent(new Event('visibilitychange'));
}, state);

let world, service;
before(async () => {
  world = await PhoneWorld.open({ settings: { AXIAM_OUTGOING_ALLOW: '127.0.0.0/8' } });
  service = await PushService.open();
});
after(async () => {
  service?.close();
  await world?.close();
});
afterEach(() => world.putAway());

/** A person whose phone app has notifications on. */
async function woken(email, options = {}) {
  const subscription = service.subscription(email.split('@')[0]);
  const { id, link } = await world.link(email);
  await world.camera.show(world.browser, owner.photo(0));
  const app = await world.phone({ permissions: ['camera', 'notifications'], ...options });
  await app.page.addInitScript(standIn, subscription.json);
  await app.follow(link);
  // By what the buttons are, whatever their language.
  for (const screen of ['pair', 'paired', 'consent', 'enrolled']) {
    await app.shows(screen, 40_000);
    await app.page.locator('main button.primary').first().click();
  }
  await app.shows('home');
  return { id, app, subscription };
}

test('a tap turns notifications on, a push is shown and opens the inbox, and the site hears how far it came', { timeout: 120_000 }, async () => {
  const { id, app, subscription } = await woken('ann@shop.example');
  const { page } = app;
  await app.says('Be told when a website asks');
  assert.deepEqual(await page.evaluate(() => globalThis.asked), [], 'the browser was asked before the person tapped');
  const told = page.waitForRequest(/\/device\/push$/);
  await app.press('Turn on notifications');
  await app.shows('notifications');
  await app.says('Notifications are on');
  const { push } = (await told).postDataJSON();
  assert.equal(push.kind, 'web_push');
  assert.deepEqual(push.subscription, subscription.json);
  const [asked] = await page.evaluate(() => globalThis.asked);
  assert.equal(asked.userVisibleOnly, true);
  assert.equal(asked.applicationServerKey, push.key);

  // Somewhere else in the app, and the app behind another: the push finds the service worker.
  const { number } = await world.site.sendPush('ann@shop.example');
  const text = subscription.open(await service.next());
  await app.shows('notifications');
  await deliver(app, text);
  const [one] = await until(() => shown(app), (seen) => seen.length > 0, 'a notification');
  assert.equal(one.title, 'Sign in to shop.example?');
  assert.equal(one.lang, 'en');
  assert.equal(one.tag, one.told.signOnId);
  assert.ok(!`${one.title}${one.body}`.includes(String(number)));
  const howFar = async () => JSON.parse(await world.axiam.must('push', 'list', world.site.id, '--json', '--last', '1'))[0];
  await until(howFar, (one) => one.sent_at && one.shown_at && !one.opened_at, 'shown, as the server knows');
  // The same once more is the same notification.
  await deliver(app, text, { isAnother: false });
  await until(() => shown(app), (seen) => seen.length === 1, 'one notification');

  // Opened: the app leaves what it shows for what waits, and the notification goes.
  const tap = () => app.context.serviceWorkers()[0].evaluate(async () => {
    const [notification] = await globalThis.registration.getNotifications();
    globalThis.dispatchEvent(new NotificationEvent('notificationclick', { notification }));
  });
  await tap();
  await app.shows('home');
  await until(() => shown(app), (seen) => seen.length === 0, 'no notification');
  await until(howFar, (one) => one.opened_at, 'opened, as the server knows');
  await app.take();
  await app.agree(number);
  await app.shows('verified', 40_000);

  // Also from what an earlier request has left behind.
  await world.site.sendPush('ann@shop.example');
  await deliver(app, subscription.open(await service.next()));
  await tap();
  await app.take();
  await app.press('No, do not sign in');
  await app.shows('refused');
  // And without a notification, by coming back to the app.
  await world.site.sendPush('ann@shop.example');
  await service.next();
  await see(page, 'hidden');
  await app.shows('refused');
  await see(page, 'visible');
  await app.take();
  await app.press('No, do not sign in');
  // Where nothing waits, nobody is led anywhere.
  await app.shows('refused');
  await see(page, 'hidden');
  const again = page.waitForResponse('**/login/pending');
  await see(page, 'visible');
  await again;
  await app.shows('refused');
  assert.ok(id);
  assert.deepEqual(app.complaints, []);
});

test('a site that is switched off keeps no other from waking the phone', { timeout: 120_000 }, async () => {
  const { app } = await woken('two@shop.example');
  const bank = await world.axiam.createSite('https://bank.example');
  await bank.authenticate();
  const { link } = await world.link('two@bank.example', bank);
  await app.follow('about:blank');
  await app.follow(link);
  await app.pair();
  await app.press('Not now');
  await app.shows('home');
  /** What the server was told for each site. */
  const pushed = () => app.page.evaluate(async () => {
    const database = await new Promise((resolve) => { indexedDB.open('axiam-phone').onsuccess = ({ target }) => resolve(target.result); });
    const kept = await new Promise((resolve) => {
      database.transaction('pairings').objectStore('pairings').getAll().onsuccess = ({ target }) => resolve(target.result);
    });
    database.close();
    return kept.map(({ site, pushed }) => `${site.name}: ${pushed?.split('/').at(-1) ?? 'not'}`).sort().join(', ');
  });
  const told = (shop, bank) => until(pushed, (now) => now === `bank.example: ${bank}, shop.example: ${shop}`, `shop ${shop}, bank ${bank}`);
  const off = (isOff) => world.axiam.must('site', isOff ? 'disable' : 'enable', world.site.id);
  await off(true);
  try {
    await app.press('Turn on notifications');
    await app.says('Notifications are on');
    await told('not', 'two');
    await off(false);
    await app.page.reload();
    await told('two', 'two');

    await off(true);
    const renewed = service.subscription('renewed');
    const [worker] = app.context.serviceWorkers();
    await worker.evaluate(standIn, renewed.json);
    await worker.evaluate(() => { globalThis.dispatchEvent(new ExtendableEvent('pushsubscriptionchange')); });
    await told('two', 'renewed');

    await app.press('Notifications');
    await app.press('Turn off notifications');
    await app.says('Be told when a website asks');
    await told('two', 'not');
  } finally {
    await off(false);
  }
});

test('a push is said in the phone’s language, and one that cannot be read shows something', { timeout: 120_000 }, async () => {
  const { app, subscription } = await woken('bob@shop.example', { locale: 'de-AT' });
  await app.page.getByRole('button', { name: 'Benachrichtigungen einschalten' }).first().click();
  await app.shows('notifications');
  await world.site.sendPush('bob@shop.example');
  await deliver(app, subscription.open(await service.next()));
  const [one] = await until(() => shown(app), (seen) => seen.length > 0, 'a notification');
  assert.equal(one.title, 'Bei shop.example anmelden?');
  await deliver(app, 'no JSON');
  const two = await until(() => shown(app), (seen) => seen.length === 2, 'another');
  assert.ok(two.some(({ title }) => title === 'Eine Anfrage wartet'));
});

test('it works without: not now is not asked again, a blocked browser is said, and what was on can be turned off', { timeout: 120_000 }, async () => {
  const { app } = await woken('eve@shop.example');
  await app.press('Not now');
  await app.page.reload();
  await app.shows('home');
  assert.equal(await app.page.getByText('Be told when a website asks').count(), 0);
  await app.press('Notifications');
  await app.press('Turn on notifications');
  await app.says('Notifications are on');
  // The server lost the subscription, as after a 410: the next start tells it again.
  const again = app.page.waitForRequest((request) => request.url().endsWith('/device/push') && request.postDataJSON().push.kind === 'none');
  await app.press('Turn off notifications');
  await again;
  await app.says('Be told when a website asks');
  await world.site.sendPush('eve@shop.example');
  await app.press('Back');
  await app.page.locator('ul[aria-label] button.card').first().waitFor();
  assert.deepEqual(service.messages, []);

  const blocked = await woken('moe@shop.example', { permissions: ['camera'] });
  await blocked.app.press('Notifications');
  await blocked.app.says('Notifications are blocked');
  data(await world.site.post('/login/lookup_client', { email: 'moe@shop.example' }));
});
