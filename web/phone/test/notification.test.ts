// What a push shows, whatever comes.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { notification } from '../src/waking/notification.js';
import { LANGUAGES } from '../src/texts/index.js';
import { NOTIFICATIONS } from '../src/texts/notifications.js';

const message = (more = {}): string => JSON.stringify({ site: { name: 'Shop', domain: 'shop.example' }, sign_on_id: 's1', device_id: 'd1', ...more });

test('every language of the app has its words, and the phone’s first known one is taken', () => {
  assert.deepEqual(Object.keys(NOTIFICATIONS).sort(), Object.keys(LANGUAGES).sort());
  for (const words of Object.values(NOTIFICATIONS)) assert.ok(words.title.includes('{site}') && words.test.includes('{site}'));
  assert.equal(notification(message(), ['fr-FR', 'ar-EG', 'en'], '/icon').options.dir, 'rtl');
  assert.equal(notification(message(), ['xx', 'constructor'], '/icon').options.lang, 'en');
});

test('of one sign-on there is one notification; the server hears of it', () => {
  const { title, options, told } = notification(message(), ['en'], '/icon');
  assert.equal(title, 'Sign in to Shop?');
  assert.equal(options.tag, 's1');
  assert.deepEqual(told, { signOnId: 's1', deviceId: 'd1' });
});

test('a trial tells of no sign-on', () => {
  const { title, told } = notification(message({ test: true }), ['en'], '/icon');
  assert.equal(title, 'A test from Shop');
  assert.equal(told, null);
});

test('whatever cannot be read is shown as something', () => {
  for (const odd of ['', 'no JSON', '[]', 'null', '{"site":{"name":5},"sign_on_id":5}', '{"sign_on_id":{},"device_id":[]}']) {
    const { title, told } = notification(odd, ['en'], '/icon');
    assert.equal(title, 'A request waits', odd);
    assert.equal(told, null, odd);
  }
});
