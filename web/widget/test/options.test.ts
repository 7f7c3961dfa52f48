import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { addresses, problem } from '../src/options.js';
import { fill, LANGUAGES, pick } from '../src/texts/index.js';

const ORIGIN = 'https://signin.example.com';
const API = `${ORIGIN}/api/v1/facial_sign_on`;

test('the API and the cable are found from what the page names', () => {
  assert.deepEqual(addresses({}, ORIGIN), { api: API, cable: 'wss://signin.example.com/cable' });
  assert.deepEqual(addresses({ apiBase: `${ORIGIN}/` }, 'https://shop.example'), addresses({}, ORIGIN));
  assert.deepEqual(addresses({ apiBase: `${API}/` }, 'https://shop.example'), addresses({}, ORIGIN));
  assert.equal(addresses({ apiBase: 'http://127.0.0.1:3000' }, ORIGIN).cable, 'ws://127.0.0.1:3000/cable');
  assert.equal(addresses({ cableUrl: 'wss://live.example/cable' }, ORIGIN).cable, 'wss://live.example/cable');
  assert.equal(addresses({ cableUrl: '/axiam/cable' }, ORIGIN).cable, 'wss://signin.example.com/axiam/cable');
});

describe('a page that is not set up', () => {
  const page = 'https://shop.example/login';
  const good = { authToken: 't', formAction: '/verified' };
  test('is told what is missing', () => {
    assert.equal(problem(good, page), null);
    assert.match(problem({ ...good, authToken: '' }, page) ?? '', /authToken/);
    assert.match(problem({ authToken: 't' }, page) ?? '', /formAction/);
  });
  for (const formAction of ['javascript:alert(1)', 'data:text/html,x', 'http://', ' JavaScript:alert(1)']) {
    test(`cannot post to "${formAction}"`, () => assert.match(problem({ ...good, formAction }, page) ?? '', /http or https/));
  }
});

test('an address of the server that is none is told, not thrown', () => {
  const page = 'https://shop.example/login';
  const good = { authToken: 't', formAction: '/verified' };
  assert.match(problem({ ...good, apiBase: 'ftp://x' }, page) ?? '', /apiBase/);
  assert.match(problem({ ...good, apiBase: 'http://' }, page) ?? '', /apiBase/);
  assert.match(problem({ ...good, cableUrl: 'javascript:1' }, page) ?? '', /cableUrl/);
  assert.equal(problem({ ...good, apiBase: '/axiam', cableUrl: 'wss://live.example/cable' }, page), null);
});

test('a language is known by its first part, and English is for everyone else', () => {
  assert.equal(pick('de-AT'), 'de');
  assert.equal(pick(undefined, null, 'AR'), 'ar');
  assert.equal(pick('fr', 'vi'), 'vi');
  assert.equal(pick('constructor', 'fr'), 'en');
});

describe('every language', () => {
  const gaps = (text: string): string[] => [...text.matchAll(/\{\w+\}/g)].map(([gap]) => gap).sort();
  for (const [language, texts] of Object.entries(LANGUAGES)) {
    test(`${language} says everything, and fills in the same`, () => {
      for (const [name, text] of Object.entries(LANGUAGES.en)) {
        const said = texts[name as keyof typeof texts];
        assert.ok(said?.trim(), name);
        assert.deepEqual(gaps(said), gaps(text), name);
      }
    });
  }
  test('a gap without a value stays visible', () => assert.equal(fill('{a} {b}', { a: 1 }), '1 {b}'));
});
