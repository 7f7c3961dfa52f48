// The widget in Firefox: the browser itself, driven by the standard protocol (WebDriver BiDi).

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { Axiam } from './support/axiam.mjs';
import { NO_FIREFOX, openFirefox } from './support/browser.mjs';
import { data } from './support/http.mjs';
import { people } from './support/photos.mjs';
import { RelyingSite } from './support/relying-site.mjs';
import { usual } from './support/widget.mjs';

const [owner] = people();

describe('Firefox', { skip: NO_FIREFOX }, () => {
  let axiam, site, relying, browser, ann;

  before(async () => {
    axiam = await Axiam.start();
    site = await axiam.createSite('http://127.0.0.1');
    await site.authenticate();
    relying = await RelyingSite.start(axiam, site);
    ann = await site.person('ann@example.com', { photos: [owner.photo(0)] });
    browser = await openFirefox();
  });
  after(async () => {
    await browser?.close();
    await relying?.stop();
    await axiam?.stop();
  });

  test('an e-mail, a number, a reload, a face, and the site\'s own page, under a policy of nothing', async () => {
    const page = await browser.newPage();
    const complaints = [];
    page.on('pageerror', (error) => complaints.push(String(error)));
    const ours = `'self' ${axiam.url}`;
    const csp = `default-src 'none'; img-src data:; script-src ${ours}; connect-src ${ours} ${axiam.cable}; form-action 'self'`;
    await page.goto(relying.page('firefox', { script: usual(), csp }));
    const becomes = (state) => page.waitForFunction((wanted) => document.querySelector('axiam-facial-login').state === wanted, { timeout: 15_000 }, state);
    await becomes('idle');
    await page.locator('axiam-facial-login >>> input').fill('ann@example.com');
    await page.locator('axiam-facial-login >>> button[type=submit]').click();
    await becomes('pending');
    await page.reload();
    await becomes('pending');
    const number = Number(await page.evaluate(() => document.querySelector('axiam-facial-login').shadowRoot.querySelector('.number .aside').textContent));
    data(await ann.phone.scan([owner.photo(1)], { number }));
    await page.waitForFunction(() => document.querySelector('h1')?.textContent === 'Hello ann@example.com', { timeout: 15_000 });
    assert.equal(relying.posts.at(-1).redeemed.data.client_id, ann.id);
    assert.deepEqual(complaints, []);
  });
});
