// The dashboard as a new owner meets it, in Chromium: from the printed link to keys that work, and on from there.
// With AXIAM_TEST_SHOTS=folder it leaves a picture of each page there, to be looked at.

import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import { after, before, describe, test } from 'node:test';

import { Axiam, sleep } from './support/axiam.mjs';
import { openBrowser } from './support/browser.mjs';
import { look } from './support/look.mjs';
import { Site } from './support/site.mjs';

const PASSWORD = 'a sentence nobody else would write';
const EMAIL = 'owner@example.com';

/** Asks until it is so: the test identities answer by themselves. */
async function eventually(is) {
  for (const deadline = Date.now() + 30_000; !(await is());) {
    assert.ok(Date.now() < deadline, 'it never came about');
    await sleep(200);
  }
}

describe('a new owner', () => {
  let axiam, browser, context, page, site;
  const complaints = [];
  const press = (name) => page.getByRole('button', { name }).click();
  const heading = (name) => page.getByRole('heading', { name, level: 1 }).waitFor();
  const go = (to) => page.getByRole('navigation').getByRole('link', { name: to }).click();

  before(async () => {
    axiam = await Axiam.start();
    browser = await openBrowser();
    context = await browser.newContext({ viewport: { width: 1280, height: 800 }, reducedMotion: 'reduce' });
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    page = await context.newPage();
    page.on('console', (message) => message.type() === 'error' && complaints.push(`${message.text()} ${message.location().url}`));
    page.on('pageerror', (error) => complaints.push(String(error)));
  });
  after(async () => {
    await browser?.close();
    await axiam?.stop();
  });

  test('sets the installation up by the printed link', async () => {
    await page.goto(`${axiam.url}/dashboard`);
    await heading('Set up Axiam');
    await look(page, 'set-up');
    const [link] = axiam.log.match(/http\S+\/dashboard\/set-up\?token=\S+/);
    await page.goto(link);
    await page.getByLabel('Your e-mail address').fill(EMAIL);
    await page.getByLabel('Password').fill('aaaaaaaaaaaaaaaaaaaa');
    await press('Make the account');
    await page.getByRole('alert').getByText('too easy to guess').waitFor();
    await look(page, 'set-up-failed');
    await page.getByLabel('Password').fill(PASSWORD);
    await press('Make the account');
    await heading('Apps');
    await look(page, 'apps-empty');
  });

  test('adds an app from a messy address and takes its keys', async () => {
    await page.getByRole('link', { name: 'Add New App' }).click();
    await page.getByLabel('Address of your site').fill('not a domain');
    await press('Find the domain');
    await page.getByRole('alert').waitFor();
    await look(page, 'new-failed');
    await page.getByLabel('Address of your site').fill(' HTTPS://www.Shop.Example.com:8443/login?next=%2F#top ');
    await press('Find the domain');
    await page.getByText('shop.example.com', { exact: true }).waitFor();
    await look(page, 'new-found');
    await press('Add shop.example.com');
    await heading('shop.example.com is added');
    await look(page, 'created');
    const text = (id) => page.locator(`#key-${id}`).textContent();
    await page.locator('[data-copy=key-secret-key]').click();
    const secret_key = await page.evaluate(() => navigator.clipboard.readText());
    assert.equal(secret_key, await text('secret-key'));
    site = new Site(axiam, { api_key: await text('api-key'), secret_key, domain: 'shop.example.com' });
    await site.authenticate();
  });

  test('finds lines for its language, and settings', async () => {
    await go('Connect');
    await heading('Connect');
    const { api_key, secret_key } = site.keys;
    const environment = await page.locator('#lines-environment').textContent();
    assert.ok(environment.includes(`AXIAM_API_KEY=${api_key}`) && !environment.includes(secret_key));
    await page.getByText('Python', { exact: false }).first().click();
    await look(page, 'connect');
    await go('Settings');
    await page.getByLabel('Tries').fill('9');
    await press('Save the settings');
    await page.getByRole('alert').waitFor();
    await look(page, 'settings-failed');
    await page.getByLabel('Tries').fill('4');
    // Photos stand in for people, who cannot turn their heads.
    await page.getByLabel('not at all').check();
    await press('Save the settings');
    await page.getByRole('status').getByText('The settings are saved').waitFor();
    await press('Switch test mode on');
    await page.getByText('The app is in test mode').waitFor();
    await look(page, 'settings');
  });

  test('makes another secret; the one before is taken for a while', async () => {
    await go('Keys');
    await page.getByLabel('The present one is still taken').selectOption('3600');
    await press('Make another secret key');
    const next = await page.locator('#key-secret-key').textContent();
    await look(page, 'keys-rotated');
    await site.authenticate();
    site.keys.secret_key = next;
    await site.authenticate();
    await page.reload();
    await page.getByText('Nothing was changed now').waitFor();
    assert.ok(!(await page.content()).includes(next));
    await look(page, 'keys');
  });

  test('makes a client known, and pairs and enrols their phone by the code', async () => {
    await go('Clients');
    await heading('Clients');
    await look(page, 'clients-empty');
    await page.getByLabel('E-mail address').fill('ann@example.com');
    await page.getByLabel('Name', { exact: true }).fill('Ann Example');
    await press('Make them known');
    await heading('ann@example.com');
    await look(page, 'client-new');
    await press('Show a code to pair a phone');
    await heading('Pair a phone');
    await look(page, 'client-code');
    const link = await page.locator('#key-enrolment-link').textContent();
    await axiam.must('phone', 'pair', '--replace', link);
    await page.getByRole('status').getByText('They enrol their face').waitFor();
    await axiam.must('phone', 'enrol', 'models/build/demo-faces/person1/01.jpg');
    await page.getByRole('status').getByText('Their face is enrolled').waitFor();
    await look(page, 'client-paired');
    await page.getByRole('link', { name: 'See whether it is paired' }).click();
    await page.getByText('enrolled', { exact: true }).waitFor();
    await look(page, 'client');
  });

  test('sees who signs on, what failed and why', async () => {
    const id = await page.locator('#key-client-id').textContent();
    await go('Login tracker');
    await page.getByText('Nobody has tried yet').waitFor();
    await look(page, 'tracker-empty');
    for (const [photo, code] of [['person2/01.jpg', 1], ['person1/02.jpg', 0]]) {
      const { number } = await site.push(id, { address: '203.0.113.9', browser: 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:120.0) Gecko/20100101 Firefox/120.0' });
      const scanned = await axiam.run('phone', 'scan', `models/build/demo-faces/${photo}`, '--number', `${number}`);
      assert.equal(scanned.code === 0, code === 0, scanned.stdout + scanned.stderr);
    }
    for (const who of ['approve', 'deny', 'wrong-face', 'expire']) {
      await site.push(await site.createClient(`${who}@example.test`));
    }
    const row = (text) => page.locator('.dash-beside').getByRole('row').filter({ hasText: text });
    // The page follows by itself.
    await eventually(async () => await row('expired').count() > 0 && await row('failed').count() > 0 && await row('denied').count() > 0);
    await page.getByRole('heading', { name: 'Failed lately' }).waitFor();
    await look(page, 'tracker');
    await page.getByRole('link', { name: 'failed', exact: true }).click();
    await row('wrong-face@example.test').getByRole('link').click();
    await page.getByRole('complementary').getByText('face did not match').waitFor();
    await look(page, 'tracker-open');
    await page.getByRole('searchbox').fill('nobody at all');
    await press('Search');
    await page.getByText('No attempt matches').waitFor();
    await look(page, 'tracker-none');
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.goto(`${axiam.url}/dashboard/apps/${page.url().match(/apps\/([^?/]+)/)[1]}/sign-ons/csv`).catch(() => {}),
    ]);
    assert.match(download.suggestedFilename(), /^sign-ons-.*\.csv$/);
    const app = download.url().match(/apps\/([^/]+)/)[1];
    assert.equal(await axiam.must('site', 'sign-ons', app), fs.readFileSync(await download.path(), 'utf8'));
    const [client] = (await axiam.must('site', 'clients', app, '--ndjson')).split('\n').map((line) => line && JSON.parse(line)).filter((one) => one.email === 'ann@example.com');
    assert.equal(client.full_name, 'Ann Example');
  });

  test('checks the audit log, unpairs a phone, and erases a client with a receipt', async () => {
    await go('Audit log');
    await look(page, 'audit');
    await press('Check the chain');
    await page.getByRole('status').getByText('The chain is intact').waitFor();
    await look(page, 'audit-checked');
    await go('Clients');
    await page.getByRole('searchbox').fill('ann');
    await press('Search');
    await look(page, 'clients');
    await page.getByRole('link', { name: 'ann@example.com' }).click();
    await press('Unpair');
    await page.getByText('The phone is unpaired').waitFor();
    await page.getByLabel('Type ann@example.com').fill('ann@example.com');
    await press('Erase ann@example.com');
    await heading('ann@example.com is erased');
    await look(page, 'erased');
    const receipt = await page.locator('#lines-receipt').textContent();
    const { keys } = await (await fetch(`${axiam.url}/.well-known/jwks.json`)).json();
    const [head, body, signature] = receipt.split('.');
    const { kid } = JSON.parse(Buffer.from(head, 'base64url'));
    const jwk = keys.find((key) => key.kid === kid);
    const key = crypto.createPublicKey({ key: jwk, format: 'jwk' });
    assert.ok(crypto.verify('sha256', Buffer.from(`${head}.${body}`), { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url')));
  });

  test('makes many people known from a file', async () => {
    await go('Clients');
    await page.getByRole('link', { name: 'Make many people known' }).click();
    await look(page, 'many');
    const send = async (text) => {
      await page.getByLabel('File').setInputFiles({ name: 'people.csv', mimeType: 'text/csv', buffer: Buffer.from(text) });
      await press('Make them known');
    };
    await send('email,full_name\nzoe@example.com,Zoë\nnobody\n');
    await page.getByText('Line 3:').waitFor();
    await look(page, 'many-failed');
    await send('email,full_name\nzoe@example.com,Zoë\nyan@example.com,\n');
    await page.getByRole('status').getByText('2 people are known now').waitFor();
    await look(page, 'many-done');
  });

  test('adds a webhook, and sees that its endpoint does not answer', async () => {
    await go('Webhooks');
    await heading('Webhooks');
    await look(page, 'webhooks-empty');
    await page.getByLabel('Address').fill('https://10.0.0.1/axiam');
    await press('Add the webhook');
    await page.getByRole('alert').getByText('Messages are not posted there').waitFor();
    await look(page, 'webhooks-failed');
    await page.getByLabel('Address').fill('https://axiam-hooks.invalid/axiam');
    await page.getByLabel('somebody was locked out').check();
    await press('Add the webhook');
    await page.locator('#key-webhook-secret').waitFor();
    await look(page, 'webhooks-added');
    await page.getByRole('link', { name: 'Send a test' }).click();
    await heading('https://axiam-hooks.invalid/axiam');
    await look(page, 'webhook-empty');
    await press('Send a test');
    await page.getByRole('status').getByText('Not delivered').waitFor();
    await look(page, 'webhook');
    await press('Remove the webhook');
    await page.getByRole('status').getByText('It is removed').waitFor();
  });

  /** The link of the latest letter about something, as whoever develops reads it. */
  const letter = async (about) => {
    const mail = await context.newPage();
    let href;
    await eventually(async () => {
      const [address] = axiam.log.match(/http\S+\/dev\/mail\?key=\S+/) ?? [];
      if (!address) return false;
      await mail.goto(address);
      const found = mail.locator('article', { hasText: about }).first();
      if ((await found.count()) === 0) return false;
      href = await found.getByRole('link', { name: 'Follow its link' }).getAttribute('href');
      return true;
    });
    await look(mail, `mail-${about.split(' ')[0].toLowerCase()}`);
    await mail.close();
    return href;
  };

  test('lets somebody else in, who is told by a letter', async () => {
    await go('Access');
    await look(page, 'access');
    await page.getByLabel('E-mail address').fill('viewer@example.com');
    await press('Let them in');
    await page.getByRole('status').getByText('A letter tells them').waitFor();
    await look(page, 'access-given');
    const theirs = await (await browser.newContext()).newPage();
    await theirs.goto(await letter('shop.example.com in the Axiam dashboard'));
    await theirs.getByLabel('Password').fill(PASSWORD);
    await theirs.getByRole('button', { name: 'Set the password' }).click();
    await theirs.getByRole('link', { name: 'shop.example.com' }).click();
    assert.equal(await theirs.getByRole('navigation').getByRole('link', { name: 'Access' }).count(), 0);
    await theirs.context().close();
  });

  test('sees where it is signed in, confirms its address, signs out and in again', async () => {
    await page.goto(`${axiam.url}/dashboard`);
    await heading('Apps');
    await look(page, 'apps');
    await go('Account');
    await heading('Account');
    await look(page, 'account');
    await page.goto(await letter('Confirm your address'));
    await heading('Confirm your address');
    await look(page, 'confirm');
    await press('This is my address');
    await heading('Your address is confirmed');
    await look(page, 'confirmed');
    await page.goto(`${axiam.url}/dashboard/account`);
    await press(/^Sign out$/);
    await heading('Sign in to the dashboard');
    await page.getByLabel('E-mail address').fill(EMAIL);
    await page.getByLabel('Password').fill('a wrong password');
    await press('Sign in');
    await page.getByRole('alert').getByText('is wrong').waitFor();
    await look(page, 'sign-in-failed');
    await page.getByLabel('Password').fill(PASSWORD);
    await press('Sign in');
    await heading('Apps');
  });

  test('sets another password by a letter when it has forgotten its own', async () => {
    await page.goto(`${axiam.url}/dashboard/account`);
    await press(/^Sign out$/);
    await page.getByRole('link', { name: 'Forgotten your password?' }).click();
    await heading('Choose another password');
    await look(page, 'forgot');
    await page.getByLabel('Your e-mail address').fill('ann@localhost@nowhere');
    await page.evaluate(() => { document.querySelector('form').noValidate = true; });
    await press('Send me the letter');
    await page.getByRole('alert').getByText('whole address').waitFor();
    await look(page, 'forgot-failed');
    await page.getByLabel('Your e-mail address').fill(EMAIL);
    await press('Send me the letter');
    await heading('Look into your mail');
    await look(page, 'forgot-sent');
    await page.goto(await letter('Choose another password'));
    await heading('Choose a password');
    await look(page, 'join');
    await page.getByLabel('Password').fill(`${PASSWORD}, twice`);
    await press('Set the password');
    await heading('Apps');
    await page.goto(`${axiam.url}/dashboard/sign-up`);
    await heading('Accounts are not made here');
    await look(page, 'sign-up-closed');
    await page.goto(`${axiam.url}/dashboard`);
  });

  test('works without scripts', async () => {
    const plain = await browser.newContext({ javaScriptEnabled: false, storageState: await context.storageState() });
    const bare = await plain.newPage();
    await bare.goto(`${axiam.url}/dashboard`);
    await bare.getByRole('link', { name: 'shop.example.com' }).click();
    await bare.getByRole('navigation').getByRole('link', { name: 'Settings' }).click();
    await bare.getByLabel('Tries').fill('3');
    await bare.getByRole('button', { name: 'Save the settings' }).click();
    await bare.getByText('The settings are saved').waitFor();
    await plain.close();
  });

  test('is told on the tracker when it follows no more, and how old what it sees is', async () => {
    // One that hangs on a wall; what its browser says of a server that is away is no fault.
    const signedIn = await context.storageState();
    const wall = await (await browser.newContext({ storageState: signedIn, reducedMotion: 'reduce' })).newPage();
    await wall.clock.install();
    await wall.goto(`${axiam.url}/dashboard`);
    await wall.getByRole('table').getByRole('link', { name: 'shop.example.com' }).click();
    const row = wall.locator('.dash-beside').getByRole('row').filter({ hasText: 'deny@example.test' });
    await row.locator('time').waitFor();
    await wall.clock.fastForward(50 * 60_000);
    await row.locator('time', { hasText: /^5\d minutes ago$/ }).waitFor();
    await axiam.halt('SIGTERM');
    const told = wall.getByRole('alert');
    await told.getByText('The server does not answer').waitFor({ timeout: 30_000 });
    await look(wall, 'tracker-away');
    await axiam.again();
    await wall.clock.fastForward(60_000);
    await told.waitFor({ state: 'detached', timeout: 30_000 });
    await wall.context().clearCookies();
    await told.getByText('You are signed out').waitFor({ timeout: 30_000 });
    await look(wall, 'tracker-signed-out');
    await told.getByRole('link', { name: 'Sign in again' }).click();
    await wall.getByLabel('E-mail address').fill(EMAIL);
    await wall.getByLabel('Password').fill(`${PASSWORD}, twice`);
    await wall.getByRole('button', { name: 'Sign in', exact: true }).click();
    await wall.getByRole('heading', { name: 'Login tracker', level: 1 }).waitFor();
    await wall.context().close();
  });

  test('reads the log of the installation', async () => {
    await page.goto(`${axiam.url}/dashboard`);
    await go('Audit log');
    await heading('Audit log of the installation');
    await page.getByText('account created').first().waitFor();
    await look(page, 'installation-audit');
    await press('Check the chain');
    await page.getByRole('status').getByText('The chain is intact').waitFor();
    await page.goto(`${axiam.url}/dashboard/audit?before=1`);
    await page.getByText('There is nothing older').waitFor();
    await look(page, 'audit-older');
  });

  test('met nothing that its browser complained about', () => {
    // Answers that say what is wrong with a form are no faults, and browsers ask for an icon by themselves.
    assert.deepEqual(complaints.filter((text) => !/status of 4(01|04|22)|favicon/.test(text)), []);
  });
});
