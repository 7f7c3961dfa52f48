// Ways into the dashboard besides the password, in Chromium: a passkey by its virtual authenticator, one's own face by a
// phone, a recovery code.
// With AXIAM_TEST_SHOTS=folder it leaves a picture of each page there, to be looked at.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { Axiam } from './support/axiam.mjs';
import { openBrowser } from './support/browser.mjs';
import { look, shoot } from './support/look.mjs';

const PASSWORD = 'a sentence nobody else would write';
const EMAIL = 'owner@example.com';

describe('an owner with other ways in', () => {
  let axiam, browser, context, page, url;
  const complaints = [];
  const press = (name) => page.getByRole('button', { name, exact: true }).click();
  const heading = (name) => page.getByRole('heading', { name, level: 1 }).waitFor();
  const ways = () => page.goto(`${url}/dashboard/account/ways`);
  const out = async () => {
    await page.goto(`${url}/dashboard/account`);
    await press('Sign out here');
    await heading('Sign in to the dashboard');
  };

  before(async () => {
    // Browsers make passkeys for a name alone.
    axiam = await Axiam.start({ isNamed: true });
    url = axiam.url.replace('127.0.0.1', 'localhost');
    browser = await openBrowser();
    context = await browser.newContext({ viewport: { width: 1280, height: 800 }, reducedMotion: 'reduce' });
    page = await context.newPage();
    page.on('console', (message) => message.type() === 'error' && complaints.push(`${message.text()} ${message.location().url}`));
    page.on('pageerror', (error) => complaints.push(String(error)));
    const [link] = axiam.log.match(/http\S+\/dashboard\/set-up\?token=\S+/);
    await page.goto(link);
    await page.getByLabel('Your e-mail address').fill(EMAIL);
    await page.getByLabel('Password').fill(PASSWORD);
    await press('Make the account');
    await heading('Apps');
  });
  after(async () => {
    await browser?.close();
    await axiam?.stop();
  });

  test('makes a passkey, and signs in by it without typing anything', async () => {
    const debug = await context.newCDPSession(page);
    await debug.send('WebAuthn.enable');
    const { authenticatorId } = await debug.send('WebAuthn.addVirtualAuthenticator', {
      options: { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true },
    });
    await ways();
    await look(page, 'ways-none');
    await page.locator('#passkey-present').fill('a wrong password');
    await press('Make a passkey');
    await page.getByRole('alert').getByText('present password is wrong').waitFor();
    await look(page, 'ways-failed');
    await page.locator('#passkey-present').fill(PASSWORD);
    await press('Make a passkey');
    await heading('Make a passkey');
    await look(page, 'passkey-make');
    await page.getByLabel('What you call it').fill('Laptop');
    await press('Make the passkey');
    await page.getByRole('status').getByText('signs you in from now on').waitFor();
    await look(page, 'ways-passkey');
    await out();
    await look(page, 'sign-in');
    await press('Sign in with a passkey');
    await heading('Apps');
    // A device that does not know the person signs nothing.
    await debug.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false });
    await out();
    await press('Sign in with a passkey');
    await page.getByRole('alert').getByText('Nothing was done').waitFor();
    await look(page, 'passkey-show-failed');
    await debug.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: true });
    await press('Use my passkey');
    await heading('Apps');
    // Taken away, it signs nobody in.
    await ways();
    await page.getByText('Laptop').click();
    await page.locator('#passkey-1').fill(PASSWORD);
    await press('Take it away');
    await page.getByRole('status').getByText('signs nobody in').waitFor();
    await out();
    await press('Sign in with a passkey');
    await page.getByRole('alert').getByText('signs nobody in here').waitFor();
    await debug.detach();
  });

  test('signs in by its own face', async () => {
    await page.goto(`${url}/dashboard/sign-in`);
    await page.getByLabel('E-mail address').fill(EMAIL);
    await page.getByLabel('Password').fill(PASSWORD);
    await press('Sign in');
    await heading('Apps');
    await ways();
    await page.locator('#face-present').fill(PASSWORD);
    await press('Show the code for my phone');
    await heading('Pair your phone');
    await look(page, 'face-code');
    const link = await page.locator('#key-enrolment-link').textContent();
    // Photos stand in for people, who cannot turn their heads.
    const sites = JSON.parse(await axiam.must('site', 'list', '--json'));
    await axiam.must('site', 'set', sites.find(({ domain }) => domain === 'localhost').site_id, 'liveness=off');
    await axiam.must('phone', 'pair', '--replace', link);
    await axiam.must('phone', 'enrol', 'models/build/demo-faces/person1/01.jpg');
    await page.getByRole('link', { name: 'See whether it is ready' }).click();
    await page.getByText('ready', { exact: true }).waitFor();
    await look(page, 'ways-ready');
    await out();
    await page.getByRole('link', { name: 'Sign in with your face' }).click();
    await heading('Sign in with your face');
    await look(page, 'by-face');
    await page.getByLabel('E-mail address').fill(EMAIL);
    await press('Ask my phone');
    await heading('Look at your phone');
    await look(page, 'by-face-waiting');
    const number = (await page.locator('.dash-digits').getAttribute('aria-label')).trim();
    const scanned = await axiam.run('phone', 'scan', 'models/build/demo-faces/person1/02.jpg', '--number', number);
    assert.equal(scanned.code, 0, scanned.stdout + scanned.stderr);
    // The page goes on by itself.
    await heading('Apps');
  });

  test('signs in by its face without scripts, and reads that the phone said no', async () => {
    const plain = await browser.newContext({ javaScriptEnabled: false });
    const bare = await plain.newPage();
    const ask = async () => {
      await bare.goto(`${url}/dashboard/sign-in/face`);
      await bare.getByLabel('E-mail address').fill(EMAIL);
      await bare.getByRole('button', { name: 'Ask my phone' }).click();
      await bare.getByRole('heading', { name: 'Look at your phone' }).waitFor();
    };
    await ask();
    await axiam.must('phone', 'deny');
    await bare.getByRole('button', { name: 'I have answered' }).click();
    await bare.getByRole('alert').getByText('refused on the phone').waitFor();
    await shoot(bare, 'by-face-denied');
    await ask();
    const number = await bare.locator('.dash-digits').getAttribute('aria-label');
    await axiam.must('phone', 'scan', 'models/build/demo-faces/person1/02.jpg', '--number', number);
    await bare.getByRole('button', { name: 'I have answered' }).click();
    await bare.getByRole('heading', { name: 'Apps' }).waitFor();
    await plain.close();
  });

  test('signs in by a recovery code', async () => {
    await ways();
    await page.locator('#codes-present').fill(PASSWORD);
    await press('Make ten codes');
    await heading('Your recovery codes');
    await look(page, 'codes');
    const codes = (await page.locator('#lines-recovery-codes').textContent()).trim().split('\n');
    assert.equal(codes.length, 10);
    await out();
    await page.getByRole('link', { name: 'Use a recovery code' }).click();
    await page.getByLabel('E-mail address').fill(EMAIL);
    await page.getByLabel('Recovery code').fill('no code of anybody');
    await press('Sign in');
    await page.getByRole('alert').getByText('the code is wrong').waitFor();
    await look(page, 'by-code-failed');
    await page.getByLabel('Recovery code').fill(codes[0]);
    await press('Sign in');
    // Whoever needs a code has lost the password too.
    await heading('Choose a password');
    await page.getByLabel('Password').fill(PASSWORD);
    await press('Set the password');
    await heading('Apps');
    await ways();
    await page.getByText('9 left').waitFor();
  });

  test('met nothing that its browser complained about', () => {
    assert.deepEqual(complaints.filter((text) => !/status of 4(01|09|22)|favicon/.test(text)), []);
  });
});

describe('where more than a password is required', () => {
  let axiam, browser;
  after(async () => {
    await browser?.close();
    await axiam?.stop();
  });

  test('whoever has nothing more adds a passkey first, and shows it from then on', async () => {
    axiam = await Axiam.start({ isNamed: true, settings: { AXIAM_ACCOUNTS_SECOND_FACTOR: 'required' } });
    browser = await openBrowser();
    const page = await (await browser.newContext({ viewport: { width: 1280, height: 800 }, reducedMotion: 'reduce' })).newPage();
    const press = (name) => page.getByRole('button', { name, exact: true }).click();
    const heading = (name) => page.getByRole('heading', { name, level: 1 }).waitFor();
    const debug = await page.context().newCDPSession(page);
    await debug.send('WebAuthn.enable');
    await debug.send('WebAuthn.addVirtualAuthenticator', {
      options: { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
    });
    const [link] = axiam.log.match(/http\S+\/dashboard\/set-up\?token=\S+/);
    await page.goto(link);
    await page.getByLabel('Your e-mail address').fill(EMAIL);
    await page.getByLabel('Password').fill(PASSWORD);
    await press('Make the account');
    await heading('Ways in');
    await page.getByText('A password alone does not do here').waitFor();
    await look(page, 'ways-required');
    await page.locator('#passkey-present').fill(PASSWORD);
    await press('Make a passkey');
    await heading('Make a passkey');
    await press('Make the passkey');
    await page.getByRole('status').getByText('signs you in from now on').waitFor();
    await page.getByRole('navigation').getByRole('link', { name: 'Apps' }).click();
    await heading('Apps');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await heading('Sign in to the dashboard');
    await page.getByLabel('E-mail address').fill(EMAIL);
    await page.getByLabel('Password').fill(PASSWORD);
    await press('Sign in');
    await page.getByRole('alert').getByText('it does not do alone').waitFor();
    await look(page, 'sign-in-second');
    await press('Sign in with a passkey');
    await heading('Apps');
  });
});
