// Journey 6 with the phone app: a real browser with a camera that shows photos of real people.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';

import { data, failure } from './support/http.mjs';
import { readKeys } from './support/phone-app.mjs';
import { Phone } from './support/phone.mjs';
import { PhoneWorld } from './support/phone-world.mjs';
import { people } from './support/photos.mjs';

const [owner] = people();

let world, site;
before(async () => {
  world = await PhoneWorld.open();
  ({ site } = world);
});
after(() => world?.close());
afterEach(() => world.putAway());

describe('leaving', () => {
  test('the person sees their phones, unpairs another one and then this one', async () => {
    const { id, app } = await world.person('phones@shop.example', owner.photo(0));
    const second = await Phone.fromLink((await site.qrcode(id)).enrollment_url);
    data(await second.register({ name: 'My old phone' }));
    await app.page.getByRole('button', { name: /shop\.example/ }).click();
    await app.shows('site');
    await app.says('My old phone');
    await app.press('Yes, this phone is mine');
    await app.shows('site');
    await app.page.getByRole('listitem').filter({ hasText: 'My old phone' }).getByRole('button', { name: 'Unpair', exact: true }).click();
    await app.shows('unpair');
    await app.says('My old phone can then no longer sign you in');
    await app.press('Unpair');
    await app.shows('site');
    assert.equal(await app.page.getByText('My old phone').count(), 0);
    failure(await second.send('GET', '/device'), 1050);
    await app.press('Unpair this phone');
    await app.shows('unpair');
    await app.press('Unpair');
    await app.shows('unpaired');
    assert.deepEqual(await app.page.evaluate(readKeys), []);
    failure(await site.post('/login/push_notification', { id }), 1012);
  });

  test('erasing names what is lost, wants the address typed, and gives a receipt that can be checked', async () => {
    const { id, app } = await world.person('erase@shop.example', owner.photo(0));
    await app.page.getByRole('button', { name: /shop\.example/ }).click();
    await app.shows('site');
    await app.press('Erase my face');
    await app.shows('erase');
    await app.page.getByLabel('Type shop.example to go on').fill('shop');
    await app.press('Erase my face');
    await app.says('This is not shop.example.');
    await app.page.getByLabel('Type shop.example to go on').fill('shop.example');
    await app.press('Erase my face');
    await app.shows('erased');
    const receipt = await app.page.locator('.receipt').textContent();
    const { keys } = await (await fetch(`${world.axiam.url}/.well-known/jwks.json`)).json();
    const claims = await verified(receipt, keys);
    assert.deepEqual([claims.sub, claims.by, claims.erased.devices], [id, 'client', 1]);
    const [download] = await Promise.all([app.page.waitForEvent('download'), app.page.getByText('Save the receipt').click()]);
    assert.match(download.suggestedFilename(), /^axiam-receipt-shop\.example\.jwt$/);
    assert.deepEqual(await app.page.evaluate(readKeys), []);
    failure(await site.send('GET', `/client/${id}`), 1007);
    await app.press('Done');
    await app.shows('welcome');
  });

  test('a phone that was unpaired elsewhere says so and lets itself be tidied away', async () => {
    const { id, app } = await world.person('lost@shop.example', owner.photo(0));
    data(await site.post('/client/delete', { id }));
    await app.page.reload();
    await app.says('Not paired any more');
    await app.page.getByRole('button', { name: /shop\.example/ }).click();
    await app.shows('lost');
    await app.press('Remove from this list');
    await app.shows('welcome');
  });
});

/** The claims of a receipt whose signature is by one of these keys. */
async function verified(receipt, keys) {
  const [head, body, signature] = receipt.split('.');
  const bytes = (text) => Buffer.from(text, 'base64url');
  const { kid } = JSON.parse(bytes(head));
  const rules = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const key = await crypto.subtle.importKey('jwk', keys.find((one) => one.kid === kid), rules, false, ['verify']);
  assert.ok(await crypto.subtle.verify(rules, key, bytes(signature), Buffer.from(`${head}.${body}`)));
  return JSON.parse(bytes(body));
}
