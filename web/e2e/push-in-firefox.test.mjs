// The phone app woken by a push in a real browser: Firefox subscribes, opens what the server has encrypted for it, and its service
// worker shows it. Only the service between them is a stand-in (docs/decisions/0049-real-browsers-open-pushes.md).

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { Axiam, sleep } from './support/axiam.mjs';
import { NO_FIREFOX, openFirefox } from './support/browser.mjs';
import { data } from './support/http.mjs';
import { people } from './support/photos.mjs';
import { PushService, preferences } from './support/push-service.mjs';

const [owner] = people();

/** Runs in the page: its camera shows this photo. Firefox takes none from a file. */
function pose(photo) {
  // There are none on the blank page before the app.
  if (navigator.mediaDevices) navigator.mediaDevices.getUserMedia = async () => {
    const picture = await createImageBitmap(new Blob([Uint8Array.from(atob(photo), (letter) => letter.charCodeAt(0))]));
    const canvas = Object.assign(document.createElement('canvas'), { width: 480, height: 640 });
    const context = canvas.getContext('2d');
    const stream = canvas.captureStream();
    const [track] = stream.getVideoTracks();
    let angle = 0;
    const timer = setInterval(() => {
      if (track.readyState === 'ended') return clearInterval(timer);
      angle += 0.2;
      const scale = (1 + 0.01 * Math.sin(angle)) * Math.min(canvas.width / picture.width, canvas.height / picture.height);
      const [width, height] = [picture.width * scale, picture.height * scale];
      context.fillStyle = '#9a958c';
      context.fillRect(0, 0, canvas.width, canvas.height);
      context.drawImage(picture, (canvas.width - width) / 2 + 3 * Math.cos(angle), (canvas.height - height) / 2 + 3 * Math.sin(2 * angle), width, height);
      return true;
    }, 50);
    return stream;
  };
}

/** Runs in the page: what the service worker shows. */
async function lookAtNotifications() {
  const registration = await navigator.serviceWorker.ready;
  return (await registration.getNotifications()).map(({ title, body, tag, lang, data }) => ({ title, body, tag, lang, data }));
}

describe('Firefox', { skip: NO_FIREFOX }, () => {
  let axiam, site, service, browser, page;
  const complaints = [];

  const shows = async (screen) => {
    try {
      await page.waitForSelector(`#app[data-screen="${screen}"]`);
    } catch {
      assert.fail(`not ${screen}: ${await page.evaluate(() => `${document.querySelector('#app')?.dataset.screen}: ${document.body.innerText}`)}`);
    }
  };
  const press = (name) => page.locator(`main ::-p-aria([name="${name}"][role="button"])`).click();
  /** What is shown, once it is so. */
  const shown = async (isSo, what) => {
    let seen;
    for (const end = Date.now() + 15_000; Date.now() < end; await sleep(50)) {
      seen = await page.evaluate(lookAtNotifications);
      if (isSo(seen)) return seen;
    }
    return assert.fail(`never ${what}: ${JSON.stringify(seen)}, ${JSON.stringify(service.acks)}`);
  };
  /** What the server knows of its latest push, once it is so. */
  const known = async (isSo, what) => {
    let seen;
    for (const end = Date.now() + 15_000; Date.now() < end; await sleep(50)) {
      [seen] = JSON.parse(await axiam.must('push', 'list', site.id, '--json', '--last', '1'));
      if (isSo(seen)) return seen;
    }
    return assert.fail(`the server never knew ${what}: ${JSON.stringify(seen)}`);
  };

  // A face is set up, and notifications are on.
  before(async () => {
    axiam = await Axiam.start({ settings: { AXIAM_OUTGOING_ALLOW: '127.0.0.0/8' } });
    site = await axiam.createSite('https://shop.example');
    await axiam.must('site', 'set', site.id, 'number_matching=true');
    await site.authenticate();
    service = await PushService.open();
    browser = await openFirefox({ preferences: {
      ...preferences(service),
      'permissions.default.desktop-notification': 1,
      // There is no desktop to show them.
      'alerts.useSystemBackend': false,
      'intl.accept_languages': 'en-GB, en',
    } });
    page = await browser.newPage();
    page.setDefaultTimeout(20_000);
    page.on('pageerror', (error) => complaints.push(String(error)));
    await page.evaluateOnNewDocument(pose, owner.photo(0).toString('base64'));
    const id = await site.createClient('ann@shop.example');
    await page.goto((await site.qrcode(id)).enrollment_url);
    for (const screen of ['pair', 'paired', 'consent', 'enrolled']) {
      await shows(screen);
      await page.locator('main button.primary').click();
    }
    await shows('home');
    await press('Turn on notifications');
    await shows('notifications');
    await page.waitForSelector('main ::-p-text(Notifications are on)');
  }, { timeout: 60_000 });
  after(async () => {
    await browser?.close();
    service?.close();
    await axiam?.stop();
  });

  /** Takes away what is shown. */
  const clear = () => page.evaluate(async () => {
    const registration = await navigator.serviceWorker.ready;
    for (const one of await registration.getNotifications()) one.close();
  });

  test('opens a push that the server has encrypted for it, and the app shows where to sign in, and no number', { timeout: 60_000 }, async () => {
    const { number } = await site.sendPush('ann@shop.example');
    const [one, ...more] = await shown((seen) => seen.length > 0, 'a notification');
    assert.deepEqual(more, []);
    assert.equal(one.title, 'Sign in to shop.example?');
    assert.equal(one.tag, one.data.signOnId);
    assert.equal(one.lang, 'en');
    assert.equal(typeof number, 'number');
    assert.doesNotMatch(one.title + one.body, /\d/);
    const { sign_on_id, opened_at } = await known((push) => push?.sent_at && push.shown_at, 'that it was shown');
    assert.equal(sign_on_id, one.tag);
    assert.equal(opened_at, null);

    // The push service took it, and knows that it was read.
    assert.deepEqual(service.posts.map(({ status, why }) => `${status} ${why}`.trim()), ['201']);
    assert.equal(service.posts[0].headers.urgency, 'high');
    await service.until(({ acks }) => acks.length, 'an answer');
    assert.deepEqual(service.acks.map(({ code }) => code), [100]);
    assert.deepEqual(complaints, []);
  });

  test('what is sent while the phone is away waits for it, for as long as it is of use', { timeout: 60_000 }, async () => {
    const before = service.posts.length;
    await clear();
    service.leave();
    await site.sendPush('ann@shop.example');
    const [early] = await service.until(({ posts }) => posts.length === before + 1 && posts.slice(before), 'a first push');
    service.pass(Number(early.headers.ttl) + 1);
    await site.sendPush('ann@shop.example');
    await service.until(({ posts }) => posts.length === before + 2, 'a second push');
    const { sign_on_id } = await known((push) => push?.sent_at, 'that it was sent');
    assert.deepEqual(await page.evaluate(lookAtNotifications), []);
    service.comeBack();
    await known((push) => push.shown_at, 'that it was shown');
    assert.deepEqual((await page.evaluate(lookAtNotifications)).map(({ tag }) => tag), [sign_on_id]);
  });

  test('a phone that its push service has forgotten subscribes anew by itself', { timeout: 60_000 }, async () => {
    await clear();
    const before = service.posts.length;
    service.leave();
    service.forget();
    await site.sendPush('ann@shop.example');
    await known((push) => push?.refused_at, 'that the subscription is gone');
    assert.deepEqual(service.posts.slice(before).map(({ status }) => status), [410]);
    service.comeBack();
    for (const end = Date.now() + 15_000; Date.now() < end; await sleep(100)) {
      const tried = await axiam.run('push', 'test', site.id, 'ann@shop.example');
      if (/took it: 201/.test(tried.stdout)) break;
    }
    const [one] = await shown((seen) => seen.length > 0, 'the operator’s trial');
    assert.equal(one.title, 'A test from shop.example');
    assert.notEqual(service.posts.at(-1).path, service.posts[before].path);
  });

  test('and its person answers', { timeout: 60_000 }, async () => {
    const { number, verification_token } = await site.sendPush('ann@shop.example');
    await shown((seen) => seen.some(({ data }) => data), 'a notification');
    await page.goto(`${axiam.url}/phone/`);
    await shows('home');
    await page.locator('ul[aria-label] button.card').click();
    await shows('answer');
    await page.locator('input#number').fill(String(number).padStart(2, '0'));
    await page.locator('form:has(#number) button[type="submit"]').click();
    await shows('verified');
    assert.equal(data(await site.status(verification_token)).status, 'verified');
    assert.deepEqual(await page.evaluate(lookAtNotifications), [], 'what is done is shown no longer');
    assert.deepEqual(complaints, []);
  });
});
