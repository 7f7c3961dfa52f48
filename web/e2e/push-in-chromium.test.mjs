// The phone app woken by a push in Chromium itself, which subscribes, opens what the server has encrypted for it and hands it to the service
// worker (docs/decisions/0049-real-browsers-open-pushes.md). What the app does with one is in phone-app-push.test.mjs.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { Axiam, sleep } from './support/axiam.mjs';
import { openProfile } from './support/browser.mjs';
import { FalseCamera } from './support/false-camera.mjs';
import { GooglePush } from './support/google-push.mjs';
import { data } from './support/http.mjs';
import { PHONE, PhoneApp } from './support/phone-app.mjs';
import { people } from './support/photos.mjs';
import { PushService } from './support/push-service.mjs';

const [owner] = people();
let axiam, site, service, google, camera, context, app;

/** Runs in the page. Chromium writes Google's address before the name of a subscription; the server is to post to the stand-in. */
function toStandIn(origin) {
  const { prototype } = PushSubscription;
  const { get } = Object.getOwnPropertyDescriptor(prototype, 'endpoint');
  const { toJSON } = prototype;
  const turned = (endpoint) => `${origin}/wpush/v2/${endpoint.split('/').at(-1)}`;
  Object.defineProperty(prototype, 'endpoint', { get() { return turned(get.call(this)); } });
  prototype.toJSON = function turnedJson() { return { ...toJSON.call(this), endpoint: this.endpoint }; };
}

const shown = () => app.page.evaluate(async () => {
  const registration = await navigator.serviceWorker.ready;
  return (await registration.getNotifications()).map(({ title, body, data: told }) => ({ title, body, told }));
});

async function until(look, isSo, what) {
  let seen;
  for (const end = Date.now() + 15_000; Date.now() < end; await sleep(50)) {
    seen = await look();
    if (isSo(seen)) return seen;
  }
  return assert.fail(`never ${what}: ${JSON.stringify(seen)}; ${JSON.stringify(service.posts.map(({ status, why }) => `${status} ${why}`))}`);
}

before(async () => {
  axiam = await Axiam.start({ settings: { AXIAM_OUTGOING_ALLOW: '127.0.0.0/8' } });
  site = await axiam.createSite('https://shop.example');
  await axiam.must('site', 'set', site.id, 'number_matching=true');
  await site.authenticate();
  service = await PushService.open();
  google = await GooglePush.before(service);
  camera = new FalseCamera();
  context = await openProfile({ args: [...camera.args, ...google.args], options: { ...PHONE, permissions: ['camera', 'notifications'] } });
  await camera.show(context, owner.photo(0));
  app = new PhoneApp(context);
  await app.open();
  await app.page.addInitScript(toStandIn, service.origin);
  const id = await site.createClient('ann@shop.example');
  await app.enrol((await site.qrcode(id)).enrollment_url);
}, { timeout: 60_000 });
after(async () => {
  await context?.close();
  google?.close();
  service?.close();
  camera?.remove();
  await axiam?.stop();
});

test('Chromium opens a push that the server has encrypted for it, the app shows it, and its person answers', { timeout: 60_000 }, async () => {
  await app.press('Turn on notifications');
  await app.says('Notifications are on');
  const { number, verification_token } = await site.sendPush('ann@shop.example');
  const [one, ...more] = await until(shown, (seen) => seen.length > 0, 'a notification');
  assert.deepEqual(more, []);
  assert.equal(one.title, 'Sign in to shop.example?');
  assert.doesNotMatch(one.title + one.body, /\d/);
  assert.deepEqual(service.posts.map(({ status, why }) => `${status} ${why}`.trim()), ['201']);
  const push = async () => JSON.parse(await axiam.must('push', 'list', site.id, '--json', '--last', '1'))[0];
  const { sign_on_id } = await until(push, ({ sent_at, shown_at }) => sent_at && shown_at, 'shown, as the server knows');
  assert.equal(sign_on_id, one.told.signOnId);

  await app.press('Back');
  await app.take();
  await app.agree(number);
  await app.shows('verified', 40_000);
  assert.equal(data(await site.status(verification_token)).status, 'verified');
  assert.deepEqual(app.complaints, []);
});

test('a subscription that the push service ended without a word is replaced when the app is opened', { timeout: 60_000 }, async () => {
  service.end();
  await site.sendPush('ann@shop.example');
  const push = async () => JSON.parse(await axiam.must('push', 'list', site.id, '--json', '--last', '1'))[0];
  await until(push, ({ refused_at }) => refused_at, 'refused, as the server knows');
  const told = app.page.waitForResponse('**/device/push');
  await app.follow('about:blank');
  await app.follow(`${axiam.url}/phone/`);
  await told;
  await site.sendPush('ann@shop.example');
  await until(push, ({ shown_at }) => shown_at, 'shown, as the server knows');
  assert.equal(service.posts.at(-1).status, 201);
});

test('what was turned off is gone for the push service', { timeout: 60_000 }, async () => {
  await app.follow(`${axiam.url}/phone/`);
  await app.press('Notifications');
  await app.press('Turn off notifications');
  await app.says('Be told when a website asks');
  const { path } = service.posts.at(-1);
  // Chromium says so in its own time.
  await until(async () => (await fetch(service.origin + path, { method: 'POST' })).status, (status) => status === 410, 'gone');
});
