// The documentation as it is read: in Chromium, at a phone's and a desk's width, light and dark.

import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { Axiam } from './support/axiam.mjs';
import { openBrowser, seriousFaults } from './support/browser.mjs';

/** Where pictures of the pages are kept, for who wants to look at them. */
const PICTURES = process.env.AXIAM_TEST_PICTURES;

let axiam, browser, pages;
before(async () => {
  axiam = await Axiam.start();
  browser = await openBrowser();
  const list = await (await fetch(`${axiam.url}/llms.txt`)).text();
  pages = [...list.matchAll(/\((\S+)\.md\)/g)].map(([, address]) => new URL(address).pathname);
  assert.ok(pages.length > 15, list);
});
after(async () => {
  await browser?.close();
  await axiam?.stop();
});

for (const [width, colorScheme] of [[360, 'light'], [1280, 'dark'], [360, 'dark'], [1280, 'light']]) {
  test(`nothing serious that axe finds, and nothing too wide, at ${width} pixels, ${colorScheme}`, async () => {
    const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme });
    const page = await context.newPage();
    const faults = {};
    page.on('console', (message) => message.type() === 'error' && (faults[`${page.url()} says`] = message.text()));
    // Each page once at each width; in the other colours those that have something of each kind.
    const all = (width === 360) === (colorScheme === 'light');
    const some = ['/docs', '/docs/php', '/docs/api-clients', '/docs/liveness', '/docs/search?q=token', '/docs/search?q=nothing+that+is+there'];
    for (const address of new Set([...some, ...(all || PICTURES ? pages : [])])) {
      await page.goto(axiam.url + address);
      const found = await seriousFaults(page);
      if (await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)) found.push('scrolls sideways');
      if (found.length) faults[address] = found;
      if (PICTURES) await page.screenshot({ path: path.join(PICTURES, `${address.replace(/\W+/g, '-')}-${width}-${colorScheme}.png`), fullPage: true });
    }
    await context.close();
    assert.deepEqual(faults, {});
  });
}

test('a person finds a code by its number, by keyboard alone', async () => {
  const page = await browser.newPage();
  await page.goto(`${axiam.url}/`);
  await page.getByRole('link', { name: 'Read the docs' }).press('Enter');
  await page.getByRole('searchbox', { name: 'Search the docs' }).fill('1040');
  await page.keyboard.press('Enter');
  await page.getByRole('link', { name: '1040 · session_token_invalid' }).press('Enter');
  await page.waitForURL('**/docs/codes#1040');
  assert.ok(await page.getByRole('heading', { name: /^1040/ }).evaluate((heading) => heading.matches(':target')));
  await page.close();
});
