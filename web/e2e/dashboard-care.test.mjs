// What an owner looks after now and then, in Chromium: how phones are woken, the way into Redis, the app's name, one's own
// address, and leaving.
// With AXIAM_TEST_SHOTS=folder it leaves a picture of each page there, to be looked at.

import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { after, before, describe, test } from 'node:test';

import { Axiam, sleep } from './support/axiam.mjs';
import { openBrowser } from './support/browser.mjs';
import { data } from './support/http.mjs';
import { look } from './support/look.mjs';
import { Listener, Redis } from './support/redis.mjs';

const PASSWORD = 'a sentence nobody else would write';
const EMAIL = 'owner@example.com';

/** A service account's key, as the console of Firebase gives it out. */
function keyFile() {
  const { privateKey } = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });
  return JSON.stringify({
    type: 'service_account',
    project_id: 'shop-1234',
    private_key_id: 'c0ffee1234567890c0ffee1234567890c0ffee12',
    private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    client_email: 'axiam@shop-1234.iam.gserviceaccount.com',
    token_uri: 'https://oauth2.googleapis.com/token',
  }, null, 2);
}

/** Asks until it is so. */
async function eventually(is) {
  for (const deadline = Date.now() + 30_000; !(await is()); await sleep(200)) assert.ok(Date.now() < deadline, 'it never came about');
}

describe('an owner who looks after things', { skip: Redis.missing ?? false }, () => {
  let axiam, browser, context, page, redis, site;
  const complaints = [];
  const press = (name) => page.getByRole('button', { name, exact: true }).click();
  const heading = (name) => page.getByRole('heading', { name, level: 1 }).waitFor();
  const go = (to) => page.goto(`${axiam.url}/dashboard/apps/${site.id}/${to}`);

  /** Makes an account by the command line, and signs it in to a browser of its own. */
  async function account(email, more = []) {
    // The command does not know on which port this server listens.
    const link = (await axiam.must('account', 'create', '--email', email, ...more)).match(/\/dashboard\/join\S+/)[0];
    const theirs = await browser.newContext({ viewport: { width: 1280, height: 800 }, reducedMotion: 'reduce' });
    const there = await theirs.newPage();
    await there.goto(axiam.url + link);
    await there.getByLabel('Password').fill(PASSWORD);
    await there.getByRole('button', { name: 'Set the password' }).click();
    await there.getByRole('heading', { name: 'Apps', level: 1 }).waitFor();
    return there;
  }

  before(async () => {
    redis = await Redis.start();
    axiam = await Axiam.start({ settings: { AXIAM_REDIS_URL: redis.url, AXIAM_REDIS_PUBLIC_HOST: 'localhost' } });
    browser = await openBrowser();
    site = await axiam.createSite('https://shop.example.com');
    await site.authenticate();
    page = await account(EMAIL, ['--administrator']);
    context = page.context();
    page.on('console', (message) => message.type() === 'error' && complaints.push(`${message.text()} ${message.location().url}`));
    page.on('pageerror', (error) => complaints.push(String(error)));
  });
  after(async () => {
    await browser?.close();
    await axiam?.stop();
    await redis?.stop();
  });

  test('brings a service account, whose key nobody sees again', async () => {
    await go('keys');
    await page.getByRole('link', { name: 'How phones are woken' }).click();
    await heading('Push');
    await look(page, 'push-empty');
    await page.getByText('Bring a service account').first().click();
    await page.getByLabel('What is in the file').fill('{ "type": "authorized_user" }');
    await press('Wake phones by this account');
    await page.getByRole('alert').getByText('Nothing was changed').waitFor();
    await look(page, 'push-failed');
    await page.getByLabel('The JSON file').setInputFiles({ name: 'key.json', mimeType: 'application/json', buffer: Buffer.from(keyFile()) });
    await press('Wake phones by this account');
    await page.getByRole('status').getByText('axiam@shop-1234.iam.gserviceaccount.com').waitFor();
    await look(page, 'push-own');
    assert.ok(!(await page.content()).includes('PRIVATE KEY'));
    assert.match(await axiam.must('push', 'account', 'list'), new RegExp(`site ${site.id} +axiam@shop-1234`));
  });

  test('sends a phone a test, and reads what came of it', async () => {
    await page.getByRole('searchbox').fill('nobody@example.com');
    await press('Find');
    await page.getByRole('alert').getByText('knows nobody by that').waitFor();
    await look(page, 'push-nobody');
    await site.createClient('zoe@example.com');
    await page.getByRole('searchbox').fill('zoe@example.com');
    await press('Find');
    await page.getByRole('heading', { name: 'zoe@example.com has no phone yet' }).waitFor();
    await look(page, 'push-no-phone');
    const ann = await site.person('ann@example.com');
    const keys = { p256dh: crypto.createECDH('prime256v1').generateKeys('base64url'), auth: crypto.randomBytes(16).toString('base64url') };
    const subscription = { endpoint: 'https://axiam-push.invalid/send/1', keys };
    data(await ann.phone.post('/device/push', { push: { kind: 'web_push', subscription } }));
    await page.getByRole('searchbox').fill('ann@example.com');
    await press('Find');
    await page.getByText('not tried yet').waitFor();
    await look(page, 'push-phone');
    await press('Send a test');
    await page.getByRole('status').getByText('not reached').waitFor();
    await look(page, 'push-tried');
  });

  test('tries the way into Redis, with the password and without', async () => {
    await go('keys');
    await press('Test it');
    await page.getByText('Redis answers the server').waitFor();
    await page.getByText('Nobody listens').waitFor();
    await look(page, 'keys-redis-tried');
    const { host, port, user, password, prefix } = site.keys.redis;
    const listener = new Listener({ host, port, user, password, pattern: `${prefix}:*` });
    await listener.ready;
    await page.getByLabel('Password, to sign in by it too').fill(password);
    await press('Test it');
    await page.getByText('signs in, and hears').waitFor();
    await page.getByText('One connection listens').waitFor();
    await look(page, 'keys-redis-signed-in');
    assert.ok(!(await page.content()).includes(password));
    await listener.hears((event) => event.status === 'test');
    listener.close();
    await page.getByLabel('Password, to sign in by it too').fill('rp_of_somebody_else');
    await press('Test it');
    await page.getByText('not the password in force').waitFor();
    await redis.kill();
    await press('Test it');
    await page.getByText('Redis does not answer the server').waitFor();
    await look(page, 'keys-redis-down');
    await redis.serve();
    await eventually(async () => (await axiam.run('site', 'redis', site.id, '--test')).code === 0);
    const said = await axiam.must('site', 'redis', site.id, '--test');
    assert.match(said, /^ok .*answers[^]*ok .*nothing else[^]*note .*Nobody listens/);
  });

  test('calls the app otherwise', async () => {
    await go('settings');
    await page.getByLabel('Name', { exact: true }).fill('elgoog\u202e');
    await press('Rename the app');
    await page.getByRole('alert').getByText('The app was not renamed').waitFor();
    await look(page, 'settings-name-failed');
    await page.getByLabel('Name', { exact: true }).fill('Ann’s shop');
    await press('Rename the app');
    await page.getByRole('status').getByText('The app is called Ann’s shop now').waitFor();
    await look(page, 'settings-renamed');
    await axiam.must('site', 'rename', site.id, 'The shop');
    await page.reload();
    await page.getByRole('link', { name: 'The shop' }).waitFor();
  });

  /** The link of the latest letter about something, as whoever develops reads it. */
  async function letter(about) {
    const mail = await context.newPage();
    for (const deadline = Date.now() + 30_000; ; await sleep(200)) {
      assert.ok(Date.now() < deadline, `no letter: ${about}`);
      const [address] = axiam.log.match(/http\S+\/dev\/mail\?key=\S+/) ?? [];
      if (!address) continue;
      await mail.goto(address);
      const found = mail.locator('article', { hasText: about }).first();
      if ((await found.count()) === 0) continue;
      const href = await found.getByRole('link', { name: 'Follow its link' }).getAttribute('href');
      await mail.close();
      return href;
    }
  }

  test('takes another address by a letter to it', async () => {
    await page.goto(`${axiam.url}/dashboard/account`);
    await page.getByLabel('New address').fill('ann@example.com');
    await page.locator('#email-present').fill('a wrong password');
    await press('Send the letter');
    await page.getByRole('alert').getByText('password is wrong').waitFor();
    assert.equal(await page.getByLabel('New address').inputValue(), 'ann@example.com');
    await look(page, 'account-address-failed');
    await page.locator('#email-present').fill(PASSWORD);
    await press('Send the letter');
    await page.getByRole('status').getByText('A letter to ann@example.com is on its way').waitFor();
    await page.goto(await letter('Your new address'));
    await heading('Your new address');
    await look(page, 'new-address');
    await press('This is my address');
    await heading('Your account has this address now');
    await look(page, 'new-address-taken');
    await page.goto(`${axiam.url}/dashboard/account`);
    await page.getByText('ann@example.com, who runs this installation').waitFor();
    await axiam.must('account', 'set-email', '--email', 'ann@example.com', '--to', EMAIL);
  });

  test('leaves, once somebody else owns its app', async () => {
    const theirs = await account('leaver@example.com');
    await axiam.must('account', 'grant', '--email', 'leaver@example.com', '--site', site.id, '--role', 'owner');
    await theirs.goto(`${axiam.url}/dashboard/account`);
    await theirs.getByRole('link', { name: 'Erase the account' }).click();
    await theirs.getByText('no other owner than you').waitFor();
    await look(theirs, 'erase-owner');
    const other = await account('other@example.com');
    await axiam.must('account', 'grant', '--email', 'other@example.com', '--site', site.id, '--role', 'owner');
    await theirs.reload();
    await theirs.getByLabel('Type leaver@example.com').fill('leaver@example.com');
    await theirs.getByLabel('Present password').fill('a wrong password');
    await theirs.getByRole('button', { name: 'Erase my account' }).click();
    await theirs.getByRole('alert').getByText('password is wrong').waitFor();
    await look(theirs, 'erase-failed');
    await theirs.getByLabel('Present password').fill(PASSWORD);
    await theirs.getByRole('button', { name: 'Erase my account' }).click();
    await theirs.getByRole('heading', { name: 'Your account is erased', level: 1 }).waitFor();
    await look(theirs, 'erased-account');
    assert.doesNotMatch(await axiam.must('account', 'list'), /leaver@/);
    const kept = await axiam.run('account', 'erase', '--email', 'other@example.com');
    assert.equal(kept.code, 1);
    assert.match(kept.stderr, /only owner of The shop/);
    await axiam.must('account', 'end-sessions', '--email', 'other@example.com');
    await other.goto(`${axiam.url}/dashboard`);
    await other.getByRole('heading', { name: 'Sign in to the dashboard' }).waitFor();
  });

  test('needs no scripts for any of it', async () => {
    const plain = await browser.newContext({ javaScriptEnabled: false, storageState: await context.storageState() });
    const bare = await plain.newPage();
    await bare.goto(`${axiam.url}/dashboard/apps/${site.id}/push?whom=ann@example.com`);
    await bare.getByRole('button', { name: 'Send a test' }).click();
    await bare.getByText('No push service was reached').waitFor();
    await bare.getByText('Remove it', { exact: true }).click();
    await bare.getByRole('button', { name: 'Remove the service account' }).click();
    await bare.getByText('It is gone from here').waitFor();
    await plain.close();
  });

  test('met nothing that its browser complained about', () => {
    // Answers that say what is wrong with a form are no faults, and browsers ask for an icon by themselves.
    assert.deepEqual(complaints.filter((text) => !/status of 4(01|09|22)|favicon/.test(text)), []);
  });
});
