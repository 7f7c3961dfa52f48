// From nothing to a person who signs in, and on to their erasure: a new owner in the dashboard, the Node example with the
// lines and keys it shows, a person with the phone app and the example's page. All of it in Chromium, with photos for a camera.
// No answer of ours takes longer than a second.

import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { test } from 'node:test';

import { Axiam, freePort } from './support/axiam.mjs';
import { openBrowser } from './support/browser.mjs';
import { Example, EXAMPLES } from './support/examples.mjs';
import { FalseCamera } from './support/false-camera.mjs';
import { PhoneApp } from './support/phone-app.mjs';
import { people } from './support/photos.mjs';
import { Site } from './support/site.mjs';
import { Widget } from './support/widget.mjs';

const PASSWORD = 'a sentence nobody else would write';
const ANN = 'ann@example.com';
const NODE = EXAMPLES.find(({ name }) => name === 'node');
/** A site's `tries`, and `lock.temporary_after`. */
const TRIES = 3;
const LOCK_AFTER = 5;
const [ann, stranger] = people();

/** Milliseconds that the server may take for a page or a form. */
const LONGEST = 1_000;

/** The way once. What the server took longest for, the slowest first: [milliseconds, what]. */
async function journey(t) {
  let axiam, browser, camera, context, owner, example, shop, widget, phone, keys;
  /** What the server took for pages and forms: [milliseconds, what]. */
  const took = [];
  /** What moved under the owner's eyes by itself (Layout Instability): "good" is 0.1 at most, and a line more or less is 0.003. */
  const shifts = [];
  const press = (name) => owner.getByRole('button', { name }).click();
  const heading = (name) => owner.getByRole('heading', { name, level: 1 }).waitFor();
  const go = (to) => owner.getByRole('navigation').getByRole('link', { name: to }).click();
  const hers = async () => {
    await go('Clients');
    await owner.getByRole('link', { name: ANN }).click();
    await heading(ANN);
  };

  const begin = async () => {
    axiam = await Axiam.start();
    camera = new FalseCamera();
    browser = await openBrowser({ args: camera.args });
    context = await browser.newContext({ viewport: { width: 1280, height: 800 }, reducedMotion: 'reduce' });
    await context.exposeFunction('axiamShifted', (page, value) => shifts.push(`${page}: ${value}`));
    await context.addInitScript(() => {
      new PerformanceObserver((list) => {
        for (const { hadRecentInput, value } of list.getEntries()) if (!hadRecentInput && value > 0.01) axiamShifted(location.pathname, value);
      }).observe({ type: 'layout-shift', buffered: true });
    });
    owner = await context.newPage();
    owner.on('requestfinished', (request) => {
      if (!request.isNavigationRequest()) return;
      const { requestStart, responseEnd } = request.timing();
      took.push([Math.round(responseEnd - requestStart), `${request.method()} ${new URL(request.url()).pathname}`]);
    });
  };
  const end = async () => {
    await example?.stop();
    await browser?.close();
    await axiam?.stop();
    camera?.remove();
  };
  const steps = [];
  const step = (name, walk) => steps.push([name, walk]);

  /** A visitor's page at the example, and what the phone is asked by it. */
  const ask = async () => {
    await shop.goto(example.url);
    await widget.becomes('idle');
    return widget.ask(ANN);
  };
  const signedIn = async () => {
    await ask().then(async (number) => {
      await phone.take();
      await phone.agree(number);
    });
    await shop.getByRole('heading', { name: `Hello ${ANN}`, level: 1 }).waitFor({ timeout: 30_000 });
    await phone.shows('verified');
    await phone.press('Done');
    await shop.getByRole('button', { name: 'Sign out' }).click();
  };

  step('signs up, and adds an app from a messy address', async () => {
    const [link] = axiam.log.match(/http\S+\/dashboard\/set-up\?token=\S+/);
    await owner.goto(link);
    await owner.getByLabel('Your e-mail address').fill('owner@example.com');
    await owner.getByLabel('Password').fill(PASSWORD);
    await press('Make the account');
    await heading('Apps');
    await owner.getByRole('link', { name: 'Add New App' }).click();
    await owner.getByLabel('Address of your site').fill(`  HTTP://127.0.0.1:${await freePort()}/login?next=%2F#top `);
    await press('Find the domain');
    await press('Add 127.0.0.1');
    await heading('127.0.0.1 is added');
  });

  step('runs the Node example with the lines that are shown', async () => {
    const environment = await owner.locator('#lines-environment').textContent();
    const value = (name) => environment.match(new RegExp(`${name}=(\\S+)`))[1];
    assert.equal(value('AXIAM_URL'), axiam.url);
    keys = { api_key: value('AXIAM_API_KEY'), secret_key: value('AXIAM_SECRET_KEY'), domain: '127.0.0.1' };
    await owner.getByRole('link', { name: 'Lines for your language' }).click();
    await heading('Connect');
    await owner.getByText('Node', { exact: false }).first().click();
    const lines = await owner.locator('#lines-node').textContent();
    assert.ok(lines.length > 1000, lines);
    // The very lines of both boxes, in a shell that knows nothing else of Axiam.
    const pasted = { ...NODE, made: { 'axiam.js': lines }, command: () => ['bash', '-ec', `${environment}\nexec npm start`] };
    example = await Example.start(pasted, {}, {});
    shop = await (await browser.newContext()).newPage();
    widget = new Widget(shop);
    await shop.goto(example.url);
    await widget.becomes('idle');
    // Photos stand in for people, who cannot turn their heads.
    await go('Settings');
    await owner.getByLabel('not at all').check();
    await press('Save the settings');
    await owner.getByRole('status').getByText('The settings are saved').waitFor();
  });

  step('makes a client known, whose phone is paired and whose face is enrolled', async () => {
    await go('Clients');
    await owner.getByLabel('E-mail address').fill(ANN);
    await press('Make them known');
    await heading(ANN);
    await press('Show a code to pair a phone');
    await heading('Pair a phone');
    await camera.show(browser, ann.photo(0));
    phone = await PhoneApp.of(browser);
    await phone.follow(await owner.locator('#key-enrolment-link').textContent());
    await phone.pair();
    await owner.getByRole('status').getByText('They enrol their face').waitFor();
    await phone.press('Set up your face');
    await phone.press('I agree, scan my face');
    await phone.shows('enrolled', 40_000);
    await owner.getByRole('status').getByText('Their face is enrolled').waitFor();
    await phone.press('Done');
  });

  step('sees live how they sign in at the example', async () => {
    await go('Login tracker');
    await owner.getByText('Nobody has tried yet').waitFor();
    await camera.show(browser, ann.photo(1));
    await signedIn();
    // Nobody loads the page again: it follows.
    const row = owner.locator('.dash-beside').getByRole('row').filter({ hasText: ANN });
    await row.filter({ hasText: 'verified' }).waitFor({ timeout: 30_000 });
  });

  step('makes another secret; the backend with the old one goes on', async () => {
    await go('Keys');
    await owner.getByLabel('The present one is still taken').selectOption('3600');
    await press('Make another secret key');
    const secret_key = await owner.locator('#key-secret-key').textContent();
    assert.notEqual(secret_key, keys.secret_key);
    const tokens = [];
    for (const secret of [keys.secret_key, secret_key]) {
      const site = new Site(axiam, { ...keys, secret_key: secret });
      await site.authenticate();
      tokens.push(site.token);
    }
    assert.notEqual(tokens[0], tokens[1]);
    // Started anew, the example has no token of before: the old secret alone gets it one.
    await example.stop();
    example = await Example.start(NODE, axiam, keys);
    await signedIn();
    await example.stop();
    example = await Example.start(NODE, axiam, { ...keys, secret_key });
    await signedIn();
  });

  step('unlocks the client whom a stranger has locked out', async () => {
    await camera.show(browser, stranger.photo(0));
    for (let failed = 0; failed < LOCK_AFTER;) {
      const number = await ask();
      await phone.take();
      for (let left = TRIES; left > 0 && failed < LOCK_AFTER; left--) {
        await phone.agree(number);
        failed += 1;
        await phone.shows('failed', 40_000);
        if (left > 1 && failed < LOCK_AFTER) await phone.press('Try again');
      }
      await phone.page.reload();
    }
    await hers();
    await owner.getByText('Locked out.').waitFor();
    await press('Unlock');
    await owner.getByRole('button', { name: 'Unlock' }).waitFor({ state: 'detached' });
    await phone.shows('home');
    await camera.show(browser, ann.photo(1));
    await signedIn();
  });

  step('revokes the phone, which is asked nothing from then on', async () => {
    await hers();
    await press('Unpair');
    await owner.getByText('The phone is unpaired').waitFor();
    await phone.page.getByRole('button', { name: /127\.0\.0\.1/ }).click();
    await phone.shows('lost');
  });

  step('erases the client, with a receipt that anyone can check', async () => {
    await owner.getByLabel(`Type ${ANN}`).fill(ANN);
    await press(`Erase ${ANN}`);
    await heading(`${ANN} is erased`);
    const receipt = await owner.locator('#lines-receipt').textContent();
    const { keys: published } = await (await fetch(`${axiam.url}/.well-known/jwks.json`)).json();
    const [head, body, signature] = receipt.split('.');
    const { kid } = JSON.parse(Buffer.from(head, 'base64url'));
    const key = crypto.createPublicKey({ key: published.find((one) => one.kid === kid), format: 'jwk' });
    const signed = Buffer.from(`${head}.${body}`);
    assert.ok(crypto.verify('sha256', signed, { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url')));
    await go('Clients');
    assert.equal(await owner.getByRole('link', { name: ANN }).count(), 0);
  });

  step('never moved under the owner’s eyes', () => {
    assert.deepEqual(shifts, []);
    assert.ok(took.length > 20, `${took.length} pages`);
  });

  try {
    await begin();
    for (const [name, walk] of steps) await t.test(name, walk);
  } finally {
    await end();
  }
  took.sort(([a], [b]) => b - a);
  for (const [milliseconds, what] of took.slice(0, 3)) t.diagnostic(`${milliseconds} ms: ${what}`);
  return took.filter(([milliseconds]) => milliseconds > LONGEST);
}

test('from nothing to keys, and everything seen, without a wait over a second', async (t) => {
  if ((await journey(t)).length === 0) return;
  // The machine may have been busy with something else, so it is gone once more.
  assert.deepEqual(await journey(t), []);
});
