// Journey 4: sign in by the widget, in a real browser against the real program, with real photos.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';

import { Axiam } from './support/axiam.mjs';
import { openBrowser, seriousFaults } from './support/browser.mjs';
import { data } from './support/http.mjs';
import { people } from './support/photos.mjs';
import { RelyingSite } from './support/relying-site.mjs';
import { usual, Widget } from './support/widget.mjs';

const [owner, stranger] = people();

let axiam, site, relying, browser, context, ann;

before(async () => {
  axiam = await Axiam.start();
  site = await axiam.createSite('http://127.0.0.1');
  await site.authenticate();
  relying = await RelyingSite.start(axiam, site);
  ann = await site.person('ann@example.com', { photos: [owner.photo(0)] });
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  await relying?.stop();
  await axiam?.stop();
});
beforeEach(async () => {
  relying.posts.length = 0;
  context = await browser.newContext({ viewport: { width: 360, height: 640 } });
});
afterEach(async () => {
  await context.close();
  for (const { sign_on_id } of await ann.phone.pending()) await ann.phone.deny(sign_on_id);
});

/** Opens a page with the widget; whatever it complains about on the console fails the test at its end. */
async function open(name, options = {}, surroundings = {}) {
  const page = await context.newPage();
  page.complaints = [];
  page.on('console', (message) => message.type() === 'error' && page.complaints.push(message.text()));
  page.on('pageerror', (error) => page.complaints.push(String(error)));
  await page.goto(relying.page(name, { script: usual(options), ...surroundings }));
  return { page, widget: new Widget(page) };
}

async function signedIn(page) {
  await page.getByRole('heading', { name: 'Hello ann@example.com' }).waitFor();
  const [{ fields, redeemed }, ...more] = relying.posts;
  assert.deepEqual(more, []);
  assert.equal(redeemed.data.client_id, ann.id);
  return fields;
}

describe('verified', () => {
  test('from an e-mail to the site\'s own page; the form carries what the backend redeems', async () => {
    const { page, widget } = await open('verify');
    const number = await widget.ask('ann@example.com');
    assert.ok(number >= 0 && number <= 99, `${number}`);
    const announced = await widget.host.getByRole('status').textContent();
    assert.equal(announced.replace(/[\u2068\u2069]/g, ''), `Enter this number on your phone ${String(number).padStart(2, '0')}. The request is for ann@example.com.`);
    assert.deepEqual(relying.posts, [], 'nothing is posted while the phone is asked');
    const started = Date.now();
    data(await ann.phone.scan([owner.photo(1)], { number }));
    const fields = await signedIn(page);
    console.log(`      from the scan to the site's page: ${Date.now() - started} ms`);
    assert.deepEqual(Object.keys(fields).sort(), ['_token', 'client_id', 'client_session_token', 'email', 'verified']);
    assert.deepEqual([fields._token, fields.email, fields.verified], ['c5rf', 'ann@example.com', 'true']);
    assert.deepEqual(page.complaints, []);
  });

  test('the page may keep the form back, or leave the last step to the person', async () => {
    const { page, widget } = await open('keep', { autoSubmit: false });
    data(await ann.phone.scan([owner.photo(1)], { number: await widget.ask('ann@example.com') }));
    await widget.press('Continue');
    await signedIn(page);

    relying.posts.length = 0;
    const script = `${usual()} widget.destroy(); widget = make({ onVerified: (proof) => { window.proof = proof; return false; } });`;
    const kept = await open('kept', {}, { script });
    data(await ann.phone.scan([owner.photo(1)], { number: await kept.widget.ask('ann@example.com') }));
    await kept.widget.becomes('verified');
    await kept.page.waitForFunction(() => window.told.includes('onSuccess'));
    assert.equal(await kept.page.evaluate(() => window.proof.client_id), ann.id);
    await kept.page.evaluate(() => {
      window.widget.destroy();
      window.widget = window.make();
      document.querySelector('axiam-facial-login').addEventListener('axiam-verified', (event) => event.preventDefault());
    });
    data(await ann.phone.scan([owner.photo(1)], { number: await kept.widget.ask('ann@example.com') }));
    await kept.page.waitForFunction(() => window.told.filter((name) => name === 'onSuccess').length === 2);
    assert.deepEqual(relying.posts, []);
  });

  test('by keyboard alone, inside a form of the page that is never sent', async () => {
    const body = `<form action="/elsewhere" method="post"><input name="other"><div id="axiam-facial-login"></div></form>`;
    const { page, widget } = await open('keyboard', {}, { body });
    let elsewhere = 0;
    page.on('request', (request) => { if (request.url().endsWith('/elsewhere')) elsewhere++; });
    await page.locator('input[name=other]').focus();
    await page.keyboard.press('Tab');
    await page.keyboard.type('ann@example.com');
    await page.keyboard.press('Enter');
    await widget.becomes('pending');
    const focused = await widget.host.evaluate(({ shadowRoot }) => shadowRoot.activeElement?.className);
    assert.equal(focused, 'title', 'the focus goes to the new words, not to Cancel');
    data(await ann.phone.scan([owner.photo(1)], { number: await widget.number() }));
    await signedIn(page);
    assert.equal(elsewhere, 0);
  });
});

describe('not verified', () => {
  test('a wrong face is told, try by try, and posts nothing', async () => {
    const { page, widget } = await open('wrong');
    const number = await widget.ask('ann@example.com');
    const signOn = (await ann.phone.pending()).at(-1).sign_on_id;
    for (let left = 2; left >= 0; left--) {
      await ann.phone.scan([stranger.photo(0)], { number, signOn });
      if (left > 0) await widget.says(`Tries left: ${left}.`);
    }
    await widget.becomes('failed');
    await widget.settles();
    assert.deepEqual(await seriousFaults(page), []);
    assert.deepEqual((await widget.told()).filter((name) => name !== 'onStateChange'), ['onReady', 'onSubmit', 'onPending', 'onFailed']);
    assert.deepEqual(relying.posts, []);
    await widget.press('Use another address');
    assert.equal(await widget.host.locator('input').inputValue(), 'ann@example.com');
  });

  test('a denial shows at once and nothing is pushed again', async () => {
    const { page, widget } = await open('denied');
    let pushes = 0;
    page.on('request', (request) => { if (request.url().endsWith('/send_push')) pushes++; });
    await widget.ask('ann@example.com');
    data(await ann.phone.deny((await ann.phone.pending()).at(-1).sign_on_id));
    await widget.becomes('denied', 5_000);
    await widget.settles();
    assert.deepEqual(await seriousFaults(page), []);
    await page.waitForTimeout(1_500);
    assert.equal(pushes, 1);
    await widget.press('Start again');
    await widget.becomes('idle');
    assert.equal(pushes, 1, 'going back asks nobody');
  });

  test('cancelling takes the request off the phone', async () => {
    const { widget } = await open('cancel');
    await widget.ask('ann@example.com');
    assert.equal((await ann.phone.pending()).length, 1);
    await widget.press('Cancel');
    await widget.becomes('idle');
    const deadline = Date.now() + 5_000;
    while ((await ann.phone.pending()).length > 0) assert.ok(Date.now() < deadline, 'still on the phone');
  });

  test('a person without a phone gets no pairing code: the page decides', async () => {
    const { page, widget } = await open('nobody');
    // What servers before decoys answer, and what a site-scope token hears.
    await page.route('**/client/send_push', (route) => route.fulfill({
      status: 404, headers: { 'access-control-allow-origin': '*' }, json: { success: false, message: 'm', user_message: 'No phone is paired.', error: 'device_token_not_found', code: 1012, http_code: 404 },
    }));
    await widget.send('bob@example.com');
    await widget.becomes('noDevice');
    assert.ok((await widget.told()).includes('onNoDevice'));
    assert.equal(await widget.host.locator('img, canvas').count(), 0);
    await widget.settles();
    assert.deepEqual(await seriousFaults(page), []);
  });
});

describe('interrupted', () => {
  test('a reload while the phone is asked goes on where it was, with the same number', async () => {
    const said = [];
    const { page, widget } = await open('reload', { debug: true });
    page.on('console', (message) => said.push(message.text()));
    const number = await widget.ask('ann@example.com');
    await page.reload();
    await widget.becomes('pending');
    assert.equal(await widget.number(), number);
    assert.equal((await ann.phone.pending()).length, 1, 'no second request');
    const secret = await page.evaluate(() => JSON.parse(Object.entries(sessionStorage).find(([key]) => key.startsWith('axiam-'))[1]).verificationToken);
    data(await ann.phone.scan([owner.photo(1)], { number }));
    const { client_session_token } = await signedIn(page);
    for (const line of ['idle → sending', 'sending → pending', 'cable connected', 'verified → submitted']) assert.ok(said.includes(`[axiam] ${line}`), `${line}: ${said}`);
    assert.doesNotMatch(said.join(), new RegExp(`${secret}|${client_session_token}`), 'tokens are not for the console');
    assert.deepEqual(await page.evaluate(() => Object.keys(sessionStorage)), [], 'nothing is left behind');
  });

  test('a verdict that falls while the page is away is found on return', async () => {
    const { page, widget } = await open('away');
    const number = await widget.ask('ann@example.com');
    await page.goto('about:blank');
    data(await ann.phone.scan([owner.photo(1)], { number }));
    await page.goBack();
    await signedIn(page);
  });

  test('the server restarts while the phone is asked', async () => {
    const { page, widget } = await open('restart');
    const number = await widget.ask('ann@example.com');
    await axiam.halt('SIGTERM');
    await widget.says('No connection. Trying again.');
    await widget.settles();
    assert.deepEqual(await seriousFaults(page), []);
    await axiam.again();
    await widget.says('The request is for');
    assert.equal(await widget.state(), 'pending');
    data(await ann.phone.scan([owner.photo(1)], { number }));
    await signedIn(page);
  });

  test('offline before and during, and back', async () => {
    const { page, widget } = await open('offline');
    await context.setOffline(true);
    await widget.send('ann@example.com');
    await widget.becomes('error');
    await widget.says('There is no connection.');
    await context.setOffline(false);
    await widget.press('Try again');
    await widget.becomes('pending');
    const number = await widget.number();
    await context.setOffline(true);
    await widget.says('No connection. Trying again.');
    await context.setOffline(false);
    data(await ann.phone.scan([owner.photo(1)], { number }));
    await signedIn(page);
  });

  test('without WebSockets the verdict comes all the same', async () => {
    const { page, widget } = await open('polling', { cableUrl: 'ws://127.0.0.1:1/cable' });
    data(await ann.phone.scan([owner.photo(1)], { number: await widget.ask('ann@example.com') }));
    await signedIn(page);
  });

  test('a token whose time is over is fetched anew', async () => {
    const expired = data(await site.post('/application_auth', { ...site.keys, domain: undefined, scope: 'widget', expires_in: 1 }, { token: null })).authenticated_token;
    const { page, widget } = await open('stale');
    relying.tokens.push(expired);
    await page.waitForTimeout(2_100);
    data(await ann.phone.scan([owner.photo(1)], { number: await widget.ask('ann@example.com') }));
    await signedIn(page);
    assert.deepEqual(relying.tokens, []);
  });
});

test('nobody answers: time is up, and the way back asks again', async () => {
  const { page, widget } = await open('expiry', { timeout: 1_500 });
  await widget.ask('ann@example.com');
  await widget.becomes('expired');
  await widget.settles();
    assert.deepEqual(await seriousFaults(page), []);
  assert.ok((await widget.told()).includes('onTimeout'));
  const deadline = Date.now() + 5_000;
  while ((await ann.phone.pending()).length > 0) assert.ok(Date.now() < deadline, 'given up, but still on the phone');
  await widget.press('Try again');
  await widget.becomes('pending');
  await widget.press('Cancel');
});
