// The phone app where things go wrong: cameras, networks, servers, time, and browsers that are not the right ones.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';

import { openBrowser } from './support/browser.mjs';
import { data } from './support/http.mjs';
import { IPHONE, MESSENGER, PhoneApp } from './support/phone-app.mjs';
import { Phone } from './support/phone.mjs';
import { PhoneWorld } from './support/phone-world.mjs';
import { people } from './support/photos.mjs';

const [owner] = people();

describe('cameras', () => {
  let world;
  before(async () => { world = await PhoneWorld.open(); });
  after(() => world?.close());
  afterEach(() => world.putAway());

  /** A phone that has agreed and is about to look. */
  async function agreed(email, { script, camera } = {}) {
    const { link } = await world.link(email);
    await (camera ?? world.camera.show(world.browser, owner.photo(0)));
    const app = await world.phone();
    if (script) await app.page.addInitScript(script);
    await app.follow(link);
    await app.pair();
    await app.press('Set up your face');
    await app.press('I agree, scan my face');
    return app;
  }

  const refusing = (name) => `navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', '${name}'));`;

  for (const [name, problem, title] of [
    ['NotAllowedError', 'denied', 'The camera is not allowed'],
    ['NotFoundError', 'none', 'No camera was found'],
    ['NotReadableError', 'busy', 'The camera is in use'],
    ['SecurityError', 'insecure', 'The camera needs a secure address'],
  ]) {
    test(`${name}: ${title}, and a way out`, async () => {
      const app = await agreed(`${problem}@shop.example`, { script: refusing(name) });
      await app.shows(`camera-${problem}`);
      await app.says(title);
      const again = app.page.getByRole('button', { name: 'Try the camera again' });
      assert.equal(await again.count(), ['none', 'insecure'].includes(problem) ? 0 : 1);
      await app.press('Back');
      await app.shows('home');
    });
  }

  test('a camera that is allowed at the second try goes on where it stopped', async () => {
    const app = await agreed('second@shop.example', {
      script: `const own = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices); let tries = 0;
        navigator.mediaDevices.getUserMedia = (wanted) => tries++ ? own(wanted) : Promise.reject(new DOMException('no', 'NotAllowedError'));`,
    });
    await app.shows('camera-denied');
    await app.press('Try the camera again');
    await app.shows('enrolled', 40_000);
  });

  test('a black picture and one that stands still are told, and nothing is sent', async () => {
    for (const [email, camera, problem] of [
      ['black@shop.example', () => world.camera.cover(world.browser), 'black'],
      ['frozen@shop.example', () => world.camera.show(world.browser, owner.photo(0), { still: true }), 'frozen'],
    ]) {
      const sent = [];
      const app = await agreed(email, { camera: camera() });
      app.page.on('request', (request) => sent.push(request.url()));
      await app.shows(`camera-${problem}`);
      assert.ok(!sent.some((url) => url.includes('/device/facial')));
    }
  });

  test('darkness is said once and waited for, then the server judges', async () => {
    const app = await agreed('night@shop.example', { camera: world.camera.show(world.browser, owner.photo(0), { dark: true }) });
    await app.shows('capture');
    await app.page.locator('.sentence.warn').getByText('It is too dark').waitFor();
    const judged = app.page.waitForResponse(/device\/facial/, { timeout: 60_000 });
    const heard = await app.page.evaluate(() => new Promise((resolve) => {
      const live = document.querySelector('[role=status]');
      const told = [];
      new MutationObserver(() => told.push(performance.now())).observe(live, { childList: true, characterData: true, subtree: true });
      setTimeout(() => resolve(told), 5_000);
    }));
    for (let at = 1; at < heard.length; at++) assert.ok(heard[at] - heard[at - 1] >= 1_900, `told twice within ${heard[at] - heard[at - 1]} ms`);
    // The server, not the app, says whether it is too dark.
    await judged;
  });

  test('what is shown follows each step at once; what is said, never twice within two seconds', async () => {
    const moving = await world.axiam.createSite('https://moving.example');
    await world.axiam.must('site', 'set', moving.id, 'liveness=active');
    await moving.authenticate();
    const { link } = await world.link('heard@moving.example', moving);
    await world.camera.show(world.browser, owner.photo(0));
    const app = await world.phone();
    // Without the engine the steps go on by themselves, faster than a sentence is said.
    await app.context.route(/engine\.[0-9a-f]+\.wasm/, (route) => route.fulfill({ status: 404 }));
    await app.follow(link);
    await app.pair();
    await app.press('Set up your face');
    await app.press('I agree, scan my face');
    await app.shows('capture');
    await app.page.evaluate(() => {
      const [live, shown] = [document.querySelector('[role=status]'), document.querySelector('.sentence')];
      globalThis.said = [];
      globalThis.shown = [];
      const note = (element, list) => new MutationObserver(() => {
        if (document.contains(shown)) list.push([performance.now(), element.textContent]);
      }).observe(element, { childList: true, characterData: true, subtree: true });
      note(live, globalThis.said);
      note(shown, globalThis.shown);
    });
    await app.shows('failed', 60_000);
    const { said, shown } = await app.page.evaluate(() => ({ said: globalThis.said, shown: globalThis.shown }));
    assert.ok(said.length >= 3, JSON.stringify(said));
    for (let at = 1; at < said.length; at++) assert.ok(said[at][0] - said[at - 1][0] >= 1_900, JSON.stringify(said));
    assert.ok(shown.some(([when], at) => at && when - shown[at - 1][0] < 1_900), JSON.stringify(shown));
    // What was said had been shown, and was the newest.
    for (const [when, sentence] of said) assert.equal(shown.findLast(([at]) => at <= when + 50)?.[1], sentence);
  });

  test('a camera that is taken away in the middle is told', async () => {
    const app = await agreed('taken@shop.example');
    await app.shows('capture');
    await app.page.waitForFunction(() => document.querySelector('video')?.srcObject);
    await app.page.evaluate(() => document.querySelector('video').srcObject.getVideoTracks()[0].dispatchEvent(new Event('ended')));
    await app.shows('camera-ended');
    await app.press('Try the camera again');
    await app.shows('enrolled', 40_000);
  });

  test('a camera that is silenced by a call is told; one that is silent for a moment is not', async () => {
    // In the dark the capture waits for a while.
    const app = await agreed('muted@shop.example', { camera: world.camera.show(world.browser, owner.photo(0), { dark: true }) });
    await app.shows('capture');
    await app.page.locator('.sentence.warn').waitFor();
    await app.page.evaluate(async () => {
      const [track] = document.querySelector('video').srcObject.getVideoTracks();
      const [moment, longer] = [200, 1_700].map((ms) => () => new Promise((resolve) => setTimeout(resolve, ms)));
      track.dispatchEvent(new Event('mute'));
      await moment();
      track.dispatchEvent(new Event('unmute'));
      await longer();
      globalThis.before = document.querySelector('#app').dataset.screen;
      track.dispatchEvent(new Event('mute'));
    });
    await app.shows('camera-ended');
    assert.equal(await app.page.evaluate(() => globalThis.before), 'capture');
    await app.says('The camera was taken away');
    await app.press('Back');
    await app.shows('home');
  });

  test('the camera is switched off when the person cancels, and after the last photo', async () => {
    const app = await agreed('off@shop.example', {
      script: `const own = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices); globalThis.streams = [];
        navigator.mediaDevices.getUserMedia = async (wanted) => { const stream = await own(wanted); globalThis.streams.push(stream); return stream; };`,
    });
    const states = () => app.page.evaluate(() => globalThis.streams.flatMap((stream) => stream.getTracks().map(({ readyState }) => readyState)));
    await app.shows('capture');
    await app.page.waitForFunction(() => document.querySelector('video')?.srcObject);
    await app.press('Cancel');
    await app.shows('home');
    assert.deepEqual(await states(), ['ended']);
  });

  test('an infrared camera is passed over', async () => {
    const app = await agreed('infrared@shop.example', {
      script: `const own = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices); globalThis.asked = [];
        navigator.mediaDevices.getUserMedia = async (wanted) => {
          asked.push(wanted.video.deviceId?.exact ?? 'any');
          const stream = await own({ video: true });
          if (asked.length === 1) Object.defineProperty(stream.getVideoTracks()[0], 'label', { value: 'Integrated IR Camera' });
          return stream;
        };`,
    });
    await app.shows('enrolled', 40_000);
    const asked = await app.page.evaluate(() => globalThis.asked);
    assert.equal(asked.length, 2);
    assert.notEqual(asked[1], 'any');
  });
});

describe('where a browser gives no camera', () => {
  let world, insecure;
  before(async () => {
    world = await PhoneWorld.open();
    insecure = await openBrowser({ args: ['--host-resolver-rules=MAP phone.example 127.0.0.1'] });
  });
  after(async () => {
    await insecure?.close();
    await world?.close();
  });
  afterEach(() => world.putAway());

  for (const [what, script] of [
    ['refuses it', `navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotAllowedError'));`],
    ['has none of it', `Object.defineProperty(Navigator.prototype, 'mediaDevices', { value: undefined });`],
  ]) {
    test(`inside another app, which ${what}: open it in the browser`, async () => {
      const app = await world.phone({ userAgent: MESSENGER });
      await app.page.addInitScript(script);
      await app.follow(`${world.axiam.url}/phone/`);
      await app.press('Scan a code');
      await app.shows('camera-inApp');
      await app.says('There is no camera in here');
      assert.equal(await app.page.getByRole('button', { name: 'Try the camera again' }).count(), 0);
      await app.press('Copy the link');
      await app.says('Copied');
      assert.equal(await app.page.evaluate(() => navigator.clipboard.readText()), `${world.axiam.url}/phone/`);
      await app.press('Back');
      await app.shows('welcome');
    });
  }

  test('at an address without https it is said at once, and the code is not used', async () => {
    const { link } = await world.link('insecure@shop.example');
    const app = await PhoneApp.of(insecure, { permissions: [] });
    try {
      const calls = [];
      app.page.on('request', (request) => calls.push(request.url()));
      await app.follow(link.replace('127.0.0.1', 'phone.example'));
      await app.shows('insecure');
      await app.says('This address is not secure');
      assert.equal(await app.page.evaluate(() => isSecureContext), false);
      assert.ok(!calls.some((url) => url.includes('/api/')));
    } finally {
      await app.close();
    }
    data(await (await Phone.fromLink(link)).register());
  });
});

describe('codes', () => {
  let world;
  before(async () => { world = await PhoneWorld.open(); });
  after(() => world?.close());
  afterEach(() => world.putAway());

  test('a code is scanned inside the app', async () => {
    const id = await world.site.createClient('scan@shop.example');
    const { qrcode_base64 } = await world.site.qrcode(id);
    await world.camera.show(world.browser, Buffer.from(qrcode_base64, 'base64'), { zoom: 0.8 });
    const app = await world.phone();
    await app.follow(`${world.axiam.url}/phone/`);
    await app.shows('welcome');
    await app.press('Scan a code');
    await app.shows('pair');
    await app.pair();
    assert.deepEqual(app.complaints, []);
  });

  test('a code of another server is not opened by itself', async () => {
    const other = await PhoneWorld.open();
    try {
      const id = await other.site.createClient('scan@shop.example');
      const { qrcode_base64 } = await other.site.qrcode(id);
      await world.camera.show(world.browser, Buffer.from(qrcode_base64, 'base64'), { zoom: 0.8 });
      const app = await world.phone();
      await app.follow(`${world.axiam.url}/phone/`);
      await app.press('Scan a code');
      await app.shows('elsewhere');
      await app.says(`Open ${new URL(other.axiam.url).host}`);
    } finally {
      await other.close();
    }
  });

  for (const [where, userAgent, screen] of [['in a tab of an iPhone', IPHONE, 'install'], ['inside another app', MESSENGER, 'in-app']]) {
    test(`${where} the code is not used up`, async () => {
      const { link } = await world.link(`${screen}@shop.example`);
      const app = await world.phone({ userAgent });
      const calls = [];
      app.page.on('request', (request) => calls.push(request.url()));
      await app.follow(link);
      await app.shows(screen);
      assert.ok(!calls.some((url) => url.includes('/api/')));
      data(await (await Phone.fromLink(link)).register());
    });
  }
});

describe('networks and servers', () => {
  let world, site;
  before(async () => {
    world = await PhoneWorld.open();
    ({ site } = world);
  });
  after(() => world?.close());
  afterEach(() => world.putAway());

  test('the app is installed with manifest and service worker, and starts without a network', async () => {
    const { app, email } = await world.person('offline@shop.example', owner.photo(0));
    await app.page.evaluate(() => navigator.serviceWorker.ready);
    const debug = await app.context.newCDPSession(app.page);
    const { data: text, errors } = await debug.send('Page.getAppManifest');
    assert.deepEqual(errors, []);
    const manifest = JSON.parse(text);
    assert.deepEqual([manifest.start_url, manifest.scope, manifest.display], ['/phone/', '/phone/', 'standalone']);
    const { installabilityErrors } = await debug.send('Page.getInstallabilityErrors');
    // A browser for tests has no profile of its own, and says so.
    assert.deepEqual(installabilityErrors.map(({ errorId }) => errorId).filter((id) => id !== 'in-incognito'), []);
    await app.context.setOffline(true);
    await app.page.reload();
    await app.shows('home');
    await app.says('No connection');
    await app.says('shop.example');
    const pushed = await site.sendPush(email);
    await app.context.setOffline(false);
    await app.take();
    await app.agree(pushed.number);
    await app.shows('verified');
  });

  test('an answer that is lost on the way is sent again, without posing again', async () => {
    const { app, email } = await world.person('lossy@shop.example', owner.photo(0));
    const pushed = await site.sendPush(email);
    let lost = 0;
    await app.page.route('**/login/verify_token', (route) => (lost++ < 2 ? route.abort('connectionreset') : route.continue()));
    await app.take();
    await app.agree(pushed.number);
    await app.shows('failed');
    await app.says('The server does not answer.');
    await app.press('Try again');
    await app.shows('verified');
    assert.equal(lost, 3);
  });

  test('a server that is killed and comes back finds the request still waiting', async () => {
    const { app, email } = await world.person('restart@shop.example', owner.photo(0));
    const pushed = await site.sendPush(email);
    await app.page.locator('ul[aria-label] button.card').first().waitFor();
    await world.axiam.halt('SIGKILL');
    await app.says('No connection');
    await world.axiam.again();
    await app.page.getByText('No connection').waitFor({ state: 'hidden' });
    await app.take();
    await app.agree(pushed.number);
    await app.shows('verified');
    assert.equal(data(await site.status(pushed.verification_token)).status, 'verified');
    // And the cable is back: a new request comes without being asked for.
    await app.press('Done');
    await site.sendPush(email);
    await app.page.locator('ul[aria-label] button.card').first().waitFor();
  });

  test('a clock that is wrong by an hour does not matter', async () => {
    const { link } = await world.link('clock@shop.example');
    await world.camera.show(world.browser, owner.photo(0));
    const app = await world.phone();
    await app.page.addInitScript(() => {
      const { now } = Date;
      Date.now = () => now() - 3_600_000;
    });
    await app.enrol(link);
    const pushed = await site.sendPush('clock@shop.example');
    await app.take();
    await app.says('a moment ago');
    await app.agree(pushed.number);
    await app.shows('verified');
  });
});

describe('time', () => {
  let world;
  before(async () => { world = await PhoneWorld.open({ settings: { AXIAM_SIGN_ON_LIFETIME: '5' } }); });
  after(() => world?.close());

  test('a request whose time is over says so, and leaves the list', async () => {
    const { app, email } = await world.person('late@shop.example', owner.photo(0));
    const pushed = await world.site.sendPush(email);
    await app.take();
    await app.shows('over');
    await app.says('Time is up');
    assert.equal(data(await world.site.status(pushed.verification_token)).status, 'expired');
    await app.press('Done');
    await app.shows('home');
    await app.says('Nothing is waiting');
  });
});
