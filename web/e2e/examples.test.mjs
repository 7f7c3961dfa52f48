// The examples, each in its own language, with a real browser and test identities.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';

import { Axiam, freePort, REPOSITORY, sleep } from './support/axiam.mjs';
import { NO_FIREFOX, openBrowser, openFirefox } from './support/browser.mjs';
import { Example, EXAMPLES } from './support/examples.mjs';
import { Widget } from './support/widget.mjs';

let axiam, numbers, keys, browser, firefox;

before(async () => {
  numbers = `127.0.0.1:${await freePort()}`;
  axiam = await Axiam.start({ settings: { AXIAM_METRICS_LISTEN: numbers } });
  keys = JSON.parse(await axiam.must('site', 'create', '--url', 'http://127.0.0.1', '--test', '--json'));
  browser = await openBrowser();
  if (!NO_FIREFOX) firefox = await openFirefox();
});
after(async () => {
  await firefox?.close();
  await browser?.close();
  await axiam?.stop();
});

/** How often a backend signed itself in until now. */
async function authentications() {
  const text = await (await fetch(`http://${numbers}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line.startsWith('axiam_requests_total') && line.includes('application_auth'));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

/** Makes all tokens that the site has by now worth nothing, as its owner would; waits until they are a second old. */
async function revokeTokens() {
  await sleep(1_100);
  const update = 'import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); db.execute("UPDATE sites SET tokens_not_before = ?", sys.argv[2:]); db.commit()';
  execFileSync('python3', ['-c', update, path.join(axiam.dataDir, 'axiam.db'), new Date().toISOString().replace('Z', '000+00:00')]);
  await sleep(1_100);
}

test('each example has three files at most', () => {
  for (const name of fs.readdirSync(path.join(REPOSITORY, 'examples'))) {
    const folder = path.join(REPOSITORY, 'examples', name);
    if (!fs.statSync(folder).isDirectory()) continue;
    const files = fs.readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    assert.ok(files.length > 0 && files.length <= 3, `${name} has ${files.length} files`);
    assert.ok(EXAMPLES.some((kind) => kind.name === name), `${name} is not run`);
  }
});

for (const kind of EXAMPLES) {
  describe(kind.name, { skip: kind.missing ? `not installed: ${kind.missing}` : false }, () => {
    let example, context, page, widget, complaints;

    before(async () => { example = await Example.start(kind, axiam, keys); });
    after(() => example?.stop());
    beforeEach(async () => {
      context = await browser.newContext();
      page = await context.newPage();
      complaints = [];
      page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
      page.on('pageerror', (error) => complaints.push(String(error)));
      widget = new Widget(page);
      await page.goto(example.url);
      await widget.becomes('idle');
    });
    afterEach(() => context.close());

    const heading = (name) => page.getByRole('heading', { name, level: 1 }).waitFor({ timeout: 15_000 });
    const post = (fields) => context.request.post(`${example.url}/login`, { form: fields, maxRedirects: 0 });
    const signedIn = async () => (await (await context.request.get(example.url)).text()).includes('Hello approve@example.test');

    /** Signs in as far as the proof, and keeps the form that carries it. */
    async function proof() {
      const posted = new Promise((resolve) => {
        page.route('**/login', async (route) => {
          if (route.request().method() !== 'POST') return route.fallback();
          await route.fulfill({ contentType: 'text/html', body: '<h1>Kept</h1>' });
          return resolve(Object.fromEntries(new URLSearchParams(route.request().postData())));
        });
      });
      await widget.send('approve@example.test');
      return posted;
    }

    test('signs in, stays so, signs out', async () => {
      const cookies = async () => (await context.cookies()).map(({ value }) => value).sort();
      const before = await cookies();
      await widget.send('approve@example.test');
      await heading('Hello approve@example.test');
      assert.notDeepEqual(await cookies(), before, 'the session of before is still good');
      for (const { name, httpOnly, sameSite } of await context.cookies()) {
        assert.ok(httpOnly && sameSite === 'Lax', `the cookie ${name} is for this site's own pages alone`);
      }
      await page.reload();
      await heading('Hello approve@example.test');
      await page.getByRole('button', { name: 'Sign out' }).click();
      await heading('Sign in');
      assert.deepEqual(complaints, []);
    });

    test('signs in with Firefox too', { skip: NO_FIREFOX }, async () => {
      const tab = await firefox.newPage();
      await tab.goto(example.url);
      await tab.locator('axiam-facial-login >>> input').fill('approve@example.test');
      await tab.locator('axiam-facial-login >>> button[type=submit]').click();
      await tab.waitForFunction(() => document.querySelector('h1')?.textContent === 'Hello approve@example.test', { timeout: 15_000 });
      await tab.locator('main form :is(button, input[type=submit])').click();
      await tab.waitForFunction(() => document.querySelector('h1')?.textContent === 'Sign in', { timeout: 15_000 });
      await tab.close();
    });

    for (const [email, state] of [['wrong-face', 'failed'], ['deny', 'denied'], ['expire', 'expired']]) {
      test(`${email}@example.test ends as ${state} and signs nobody in`, async () => {
        await widget.send(`${email}@example.test`);
        await widget.becomes(state);
        await page.reload();
        await heading('Sign in');
        assert.deepEqual(complaints, []);
      });
    }

    test('a wrong, missing or stolen CSRF token signs nobody in, and the proof stays good', async () => {
      const form = await proof();
      const { [kind.csrfField]: right, ...without } = form;
      const elsewhere = await browser.newContext();
      const other = await elsewhere.newPage();
      await other.goto(example.url);
      const stolen = await other.locator('axiam-facial-login').getAttribute('csrf-token');
      await elsewhere.close();
      for (const wrong of [without, { ...without, [kind.csrfField]: 'wrong' }, { ...without, [kind.csrfField]: '' }, { ...without, [kind.csrfField]: stolen }]) {
        const answer = await post(wrong);
        assert.ok([403, 422].includes(answer.status()), `${answer.status()}`);
        assert.equal(await signedIn(), false);
      }
      const answer = await post({ ...without, [kind.csrfField]: right });
      assert.equal(answer.status(), 303);
      assert.equal(await signedIn(), true);
    });

    test('a forged proof, one without a client, and one that was used sign nobody in', async () => {
      const form = await proof();
      const { client_session_token, client_id, ...rest } = form;
      for (const wrong of [
        { ...form, client_session_token: 'st_test_forged' }, { ...rest, client_id }, { ...rest, client_session_token }, rest,
        { ...form, client_id: '00000000-0000-4000-8000-000000000000' },
      ]) {
        const answer = await post(wrong);
        assert.equal(answer.status(), 401, await answer.text());
        assert.match(await answer.text(), /<h1>Not signed in<\/h1>/);
        assert.equal(await signedIn(), false);
      }
      assert.equal((await post(form)).status(), 303, 'the true one is still good');

      const again = await browser.newContext();
      const page = await again.newPage();
      await page.goto(example.url);
      const token = await page.locator('axiam-facial-login').getAttribute('csrf-token');
      const answer = await again.request.post(`${example.url}/login`, { form: { ...form, [kind.csrfField]: token }, maxRedirects: 0 });
      assert.equal(answer.status(), 401);
      assert.match(await answer.text(), /Not signed in/);
      await again.close();
    });

    test('the site\'s token is kept: each page asks for its own, signing in for none', async () => {
      const form = await proof();
      assert.equal((await post(form)).status(), 303);
      await context.clearCookies();
      const before = await authentications();
      await page.unroute('**/login');
      await page.goto(example.url);
      await widget.becomes('idle');
      await widget.send('approve@example.test');
      await heading('Hello approve@example.test');
      assert.equal(await authentications() - before, 1, 'one for the page');
    });

    test('a kept token that was revoked is replaced, and the person notices nothing', async () => {
      assert.equal((await post(await proof())).status(), 303);
      await context.clearCookies();
      await page.unroute('**/login');
      await revokeTokens();
      const before = await authentications();
      await page.goto(example.url);
      await widget.becomes('idle');
      await widget.send('approve@example.test');
      await heading('Hello approve@example.test');
      assert.equal(await authentications() - before, 2, 'one for the page, one for the backend');
    });

    test('what it holds stays with it: no key and no site token reaches the browser', async () => {
      const seen = [await page.content()];
      page.on('response', async (response) => seen.push(await response.text().catch(() => '')));
      await widget.send('approve@example.test');
      await heading('Hello approve@example.test');
      seen.push(await page.content());
      assert.ok(seen.every((text) => !text.includes(keys.secret_key)));
      const scopes = [...seen.join('\n').matchAll(/eyJ[\w-]+\.(eyJ[\w-]+)\.[\w-]+/g)]
        .map(([, claims]) => JSON.parse(Buffer.from(claims, 'base64url')));
      assert.ok(scopes.length > 0 && scopes.every((claims) => JSON.stringify(claims).includes('widget')), JSON.stringify(scopes));
    });
  });
}
