// The widget among what pages do around it: their style sheets, policies, frameworks, languages.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';

import { Axiam } from './support/axiam.mjs';
import { openBrowser, seriousFaults, worstDifference } from './support/browser.mjs';
import { reactPage, turbo } from './support/frameworks.mjs';
import { data } from './support/http.mjs';
import { people } from './support/photos.mjs';
import { RelyingSite } from './support/relying-site.mjs';
import { usual, Widget } from './support/widget.mjs';

const [owner] = people();

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
beforeEach(async () => { context = await browser.newContext({ viewport: { width: 360, height: 640 } }); });
afterEach(async () => {
  await context.close();
  for (const { sign_on_id } of await ann.phone.pending()) await ann.phone.deny(sign_on_id);
});

async function open(name, options = {}, { still = false, ...surroundings } = {}) {
  const page = await context.newPage();
  if (still) await page.clock.setFixedTime(Date.now());
  page.complaints = [];
  page.cables = new Set();
  page.on('websocket', (socket) => {
    page.cables.add(socket);
    socket.on('close', () => page.cables.delete(socket));
  });
  page.on('console', (message) => message.type() === 'error' && page.complaints.push(message.text()));
  page.on('pageerror', (error) => page.complaints.push(String(error)));
  await page.goto(relying.page(name, { script: usual(options), ...surroundings }));
  return { page, widget: new Widget(page) };
}

// Waits until the page holds this many cables open.
async function cables(page, expected) {
  const deadline = Date.now() + 10_000;
  while (page.cables.size !== expected) {
    assert.ok(Date.now() < deadline, `${page.cables.size} cables, not ${expected}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

describe('the page\'s own style and policy', () => {
  test('a hostile style sheet changes nothing that can be seen', async () => {
    const hostile = `
      html { font-size: 5px; }
      * { font: italic 40px/4 fantasy !important; color: red !important; text-transform: uppercase !important; text-align: right !important;
          letter-spacing: 1em !important; word-spacing: 2em !important; text-shadow: 0 0 9px red !important; direction: rtl !important;
          white-space: pre !important; cursor: wait !important; list-style: square !important; }
      button, input, form, label, p, svg { display: none !important; }
      axiam-facial-login * { visibility: hidden !important; }`;
    const pictures = [];
    // The same place to the pixel, before everything else of the page.
    const place = 'axiam-facial-login { position: fixed; inset: 0 auto auto 0; background: white; }';
    for (const css of [place, hostile + place]) {
      const { widget } = await open(`style-${pictures.length}`, {}, { css, still: true });
      await widget.ask('ann@example.com');
      // The number differs from one request to the next; the rest may not, for the page's time stands still.
      await widget.host.evaluate(({ shadowRoot }) => { shadowRoot.querySelector('.number').textContent = '47'; });
      await widget.page.mouse.move(359, 639);
      await widget.settles();
      pictures.push(await widget.host.screenshot({ animations: 'disabled' }));
      await widget.page.close();
    }
    // Edges of curves are smoothed a little differently from one run to the next.
    const worst = await worstDifference(browser, ...pictures);
    assert.ok(worst <= 64, `a pixel differs by ${worst} of 255`);
  });

  test('default-src \'none\' with our origin for script and connect is enough', async () => {
    const ours = `'self' ${axiam.url}`;
    const csp = `default-src 'none'; script-src ${ours}; connect-src ${ours} ${axiam.cable}; form-action 'self'; base-uri 'none'; require-trusted-types-for 'script'`;
    const script = `window.violations = []; addEventListener('securitypolicyviolation', (event) => violations.push(event.violatedDirective + ' ' + event.blockedURI)); ${usual()}`;
    const { page, widget } = await open('policy', {}, { csp, script, body: '<div id="axiam-facial-login"></div>' });
    const number = await widget.ask('ann@example.com');
    await cables(page, 1);
    const shown = await widget.host.evaluate(({ shadowRoot }) => getComputedStyle(shadowRoot.querySelector('.number')).fontSize);
    assert.equal(shown, '48px');
    // The icon of the page itself is the one thing that this policy has to refuse.
    const violations = (await page.evaluate(() => window.violations)).filter((one) => !/^img-src/.test(one));
    assert.deepEqual(violations, []);
    data(await ann.phone.scan([owner.photo(1)], { number }));
    await page.getByRole('heading', { name: 'Hello ann@example.com' }).waitFor();
  });

  test('a theme of the page\'s own, and nothing but a theme', async () => {
    const theme = { mode: 'dark', accent: 'rebeccapurple', onAccent: '#fff', radius: '0', font: 'inherit', ink: 'red; } * { display: none' };
    const { widget } = await open('theme', { theme }, { css: 'body { font-family: Georgia; }' });
    const look = await widget.host.evaluate(({ shadowRoot }) => {
      const { backgroundColor, borderRadius, fontFamily } = getComputedStyle(shadowRoot.querySelector('.button'));
      return { backgroundColor, borderRadius, fontFamily, ink: getComputedStyle(shadowRoot.querySelector('.widget')).color };
    });
    assert.deepEqual(look, { backgroundColor: 'rgb(102, 51, 153)', borderRadius: '0px', fontFamily: 'Georgia', ink: 'rgb(234, 240, 237)' });
  });
});

describe('languages, at 280 px: every state fits the reserved height, and nothing moves', () => {
  for (const language of ['en', 'vi', 'es', 'de', 'ar']) {
    test(language, async () => {
      const page = await context.newPage();
      await page.setViewportSize({ width: 280, height: 640 });
      const dark = language === 'ar';
      await page.emulateMedia({ colorScheme: dark ? 'dark' : 'light' });
      await page.clock.install();
      let status = { status: 'pending' };
      const envelope = (about) => ({ headers: { 'access-control-allow-origin': '*' }, json: { success: true, data: about } });
      await page.route('**/send_push', (route) => route.fulfill(envelope({ verification_token: 'v', site_id: 's', expires_in: 600, number: 47 })));
      await page.route('**/login/status**', (route) => route.fulfill(envelope(status)));
      await page.route('**/login/cancel', (route) => route.fulfill(envelope({ status: 'cancelled' })));
      // Only the status is asked here: the cable has nowhere to go.
      const script = `
        window.shift = 0;
        new PerformanceObserver((list) => { for (const { value, hadRecentInput } of list.getEntries()) if (!hadRecentInput) shift += value; }).observe({ type: 'layout-shift', buffered: true });
        ${usual({ language, enrolUrl: '/enrol', cableUrl: 'ws://127.0.0.1:1/cable' })}`;
      await page.goto(relying.page(`language-${language}`, { script, lang: language, css: dark ? ':root { color-scheme: light dark; background: #101413; }' : '', body: `<link rel="stylesheet" href="${relying.widget('css')}"><div id="axiam-facial-login"></div><p>Below</p>` }));
      const widget = new Widget(page);
      const check = async (what) => {
        await widget.settles();
        const found = await widget.host.evaluate((element) => {
          const inside = element.shadowRoot.querySelector('.widget');
          return { height: element.getBoundingClientRect().height, wide: inside.scrollWidth > inside.clientWidth, dir: inside.dir, theme: element.dataset.theme };
        });
        assert.deepEqual(found, { height: 412, wide: false, dir: dark ? 'rtl' : 'ltr', theme: dark ? 'dark' : 'light' }, what);
        if (language === 'en' || dark) assert.deepEqual(await seriousFaults(page), [], what);
      };
      const send = widget.host.locator('button[type=submit]');
      // What moves without the person's doing: while the page loads, and while a phone is asked.
      const still = async (when) => assert.equal(await page.evaluate(() => window.shift), 0, `layout shift ${when}`);
      await check('idle');
      await still('at first');
      await widget.host.locator('input').fill('nobody');
      await send.click();
      await check('invalid');
      await widget.ask('maximiliane.mustermann@example.com');
      await check('pending');
      await page.evaluate(() => { window.shift = 0; });
      await page.clock.fastForward(31_000);
      await widget.host.locator('.hint').waitFor();
      await check('slow');
      status = { status: 'retry', user_message: 'The photo is too dark. Find a brighter place.', attempts_left: 2, code: 1035 };
      await page.clock.fastForward(3_000);
      await widget.says('The photo is too dark.');
      await check('retry');
      status = { status: 'failed', user_message: 'We could not recognise you. Please try again.', code: 1036 };
      await page.clock.fastForward(3_000);
      await widget.becomes('failed');
      await check('failed');
      await still('while a phone is asked');
      status = { status: 'expired' };
      await widget.host.locator('.button.primary').click();
      await widget.becomes('pending');
      await page.clock.fastForward(3_000);
      await widget.becomes('expired');
      await check('expired');
    });
  }
});

describe('coming and going', () => {
  test('moved, taken out and put back: one cable, the same request', async () => {
    const { page, widget } = await open('remount');
    const number = await widget.ask('ann@example.com');
    await cables(page, 1);
    await page.evaluate(() => {
      const element = document.querySelector('axiam-facial-login');
      for (let times = 0; times < 3; times++) document.querySelector('#axiam-facial-login').append(element);
    });
    assert.equal(await widget.number(), number);
    await cables(page, 1);
    await page.evaluate(() => { window.kept = document.querySelector('axiam-facial-login'); kept.remove(); });
    await cables(page, 0);
    await page.evaluate(() => document.querySelector('#axiam-facial-login').append(kept));
    await widget.becomes('pending');
    assert.equal(await widget.number(), number);
    await cables(page, 1);
    assert.equal((await ann.phone.pending()).length, 1);
    await page.evaluate(() => window.widget.destroy());
    await cables(page, 0);
    assert.deepEqual(page.complaints, []);
  });

  test('two widgets on a page keep apart, also over a reload', async () => {
    const bob = await site.person('bob@example.com', { photos: [owner.photo(0)] });
    const body = '<div id="one"></div><div id="two"></div>';
    const script = `${usual({ container: '#one' })} make({ container: '#two' });`;
    const { page, widget: one } = await open('two', {}, { body, script });
    const two = new Widget(page, 1);
    const numbers = [await one.ask('ann@example.com'), await two.ask('bob@example.com')];
    await page.reload();
    await two.becomes('pending');
    assert.deepEqual([await one.number(), await two.number()], numbers);
    data(await bob.phone.deny((await bob.phone.pending())[0].sign_on_id));
    await two.becomes('denied');
    assert.equal(await one.state(), 'pending');
    assert.deepEqual(page.complaints, []);
  });

  test('the script loaded twice, and init called twice: one widget', async () => {
    const { page, widget } = await open('twice');
    await page.addScriptTag({ url: relying.widget('js') });
    await page.evaluate(() => { window.make(); });
    assert.equal(await page.locator('axiam-facial-login').count(), 1);
    await widget.ask('ann@example.com');
    await cables(page, 1);
    const names = await page.evaluate(() => Object.keys(window).filter((name) => /axiam|cable/i.test(name)));
    assert.deepEqual(names, ['AxiamFacialLogin']);
    assert.deepEqual(page.complaints, []);
  });

  test('the element alone, by its attributes', async () => {
    const token = await site.widgetToken();
    const { page, widget } = await open('element', {}, {
      body: `<axiam-facial-login form-action="/login" auth-token="${token}" csrf-token="c" button-text="Go" email="ann@example.com"></axiam-facial-login>`,
      script: '',
    });
    await widget.press('Go');
    await widget.becomes('pending');
    data(await ann.phone.scan([owner.photo(1)], { number: await widget.number() }));
    await page.getByRole('heading', { name: 'Hello ann@example.com' }).waitFor();
    assert.equal(relying.posts.at(-1).fields.csrf_token, 'c');
  });

  test('Turbo: visit, restore, preview', async () => {
    relying.file('turbo.js', turbo());
    const head = '<script src="/turbo.js"></script>';
    relying.page('other', { body: '<a href="/turbo-page">Sign in</a>', widget: false });
    const script = `document.addEventListener('turbo:load', () => { if (document.querySelector('#axiam-facial-login')) { ${usual()} } });`;
    const { page, widget } = await open('turbo-page', {}, { script, body: `${head}<a href="/other">Elsewhere</a><div id="axiam-facial-login"></div>` });
    const number = await widget.ask('ann@example.com');
    await cables(page, 1);
    await page.getByRole('link', { name: 'Elsewhere' }).click();
    await page.getByRole('link', { name: 'Sign in' }).waitFor();
    await cables(page, 0);
    await page.goBack();
    await widget.becomes('pending');
    assert.equal(await page.locator('axiam-facial-login').count(), 1);
    assert.equal(await widget.number(), number);
    await cables(page, 1);
    data(await ann.phone.scan([owner.photo(1)], { number }));
    await page.getByRole('heading', { name: 'Hello ann@example.com' }).waitFor();
  });

  test('React in strict mode, by the package', async () => {
    const { page, widget } = await open('react', {}, { script: await reactPage(axiam.url), body: '<div id="app"></div>', widget: false });
    await widget.becomes('idle');
    assert.equal(await page.evaluate(() => window.mounts), 2, 'strict mode mounts twice');
    assert.equal(await page.locator('axiam-facial-login').count(), 1);
    const number = await widget.ask('ann@example.com');
    await cables(page, 1);
    data(await ann.phone.scan([owner.photo(1)], { number }));
    await page.getByRole('heading', { name: 'Hello ann@example.com' }).waitFor();
    assert.deepEqual(page.complaints, []);
  });
});
