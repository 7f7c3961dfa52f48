// The rest of what needs no browser: links, surroundings, what waits, words, and what is handed out.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import zlib from 'node:zlib';

import { version } from '../build.mjs';
import { Refused, Unreachable } from '../src/server/api.js';
import { problemOf } from '../src/capture/camera.js';
import { leavesEnough, NothingPaired, readLink, tokenIn } from '../src/pairing/pairing.js';
import type { SignOn } from '../src/server/routes.js';
import { deviceName, surroundings } from '../src/surroundings.js';
import { LANGUAGES } from '../src/texts/index.js';
import { VaultError } from '../src/pairing/vault.js';
import { Waiting } from '../src/inbox/waiting.js';
import { ago, countdown, explain } from '../src/view/words.js';

const TOKEN = 'et_ZGVhZGJlZWZkZWFkYmVlZg';

describe('codes', () => {
  test('a link of this server gives its token; another server’s is told apart; anything else is none', () => {
    const here = 'https://a.example';
    assert.deepEqual(readLink(`https://a.example/phone/#${TOKEN}`, here), { token: TOKEN });
    const other = `https://b.example/phone/#${TOKEN}`;
    assert.deepEqual(readLink(other, here), { elsewhere: other });
    assert.deepEqual(readLink(`http://a.example/phone/#${TOKEN}`, here), { elsewhere: `http://a.example/phone/#${TOKEN}` });
    for (const none of ['WIFI:S:x;;', 'https://a.example/phone/', `https://a.example/#${TOKEN}`, `javascript:/phone/#${TOKEN}`, 'https://a.example/phone/#short', '']) {
      assert.equal(readLink(none, here), null, none);
    }
    assert.equal(tokenIn('#"><script>aaaaaa'), null);
  });

  test('a turn, and something that moves, always remain', () => {
    assert.ok(leavesEnough([]) && leavesEnough(['turn_left', 'turn_right', 'blink', 'come_closer']));
    assert.ok(!leavesEnough(['turn_left', 'turn_right', 'look_up']) && !leavesEnough(['blink', 'open_mouth']));
  });
});

describe('surroundings', () => {
  const browser = (userAgent: string, more = {}): Parameters<typeof surroundings>[0] => ({ userAgent, platform: 'x', maxTouchPoints: 5, ...more });

  test('iPhones, iPads that call themselves Macs, and Macs', () => {
    const isIos = (found: Parameters<typeof surroundings>[0]): boolean => surroundings(found, false, true).isIos;
    assert.ok(isIos(browser('Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X)')));
    assert.ok(isIos(browser('Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)', { platform: 'MacIntel' })));
    assert.ok(!isIos(browser('Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)', { platform: 'MacIntel', maxTouchPoints: 0 })));
    assert.ok(!isIos(browser('Mozilla/5.0 (Linux; Android 14; Pixel 8) Chrome/130.0')));
  });

  test('windows inside other apps, and usual browsers', () => {
    const isInApp = (userAgent: string): boolean => surroundings(browser(userAgent), false, true).isInApp;
    for (const name of ['FBAN/FBIOS;FBAV/480', 'Instagram 300.0', 'Line/13.1', 'MicroMessenger/8.0', 'Zalo iOS/1', 'Version/4.0 Chrome/130; wv)']) assert.ok(isInApp(`Mozilla/5.0 ${name}`), name);
    for (const name of ['Version/18.0 Safari/604.1', 'Chrome/130.0 Mobile Safari/537.36', 'SamsungBrowser/26.0', 'Firefox/132.0', 'Online/1']) assert.ok(!isInApp(`Mozilla/5.0 ${name}`), name);
  });

  test('opened from the home screen', () => {
    assert.ok(surroundings(browser('', { standalone: true }), false, true).isInstalled);
    assert.ok(surroundings(browser(''), true, true).isInstalled);
    assert.ok(!surroundings(browser(''), false, true).isInstalled);
  });

  test('a phone has a name from the start', () => {
    assert.equal(deviceName('Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Mobile Safari/537.36'), 'Chrome, Android');
    assert.equal(deviceName('Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile/15E148 Safari/604.1'), 'Safari, iPhone');
    assert.equal(deviceName('something'), 'Browser');
  });

  test('each failure of a camera has its screen', () => {
    const of = (name: string, isInApp = false): string => problemOf({ name }, isInApp);
    assert.deepEqual(['NotAllowedError', 'NotFoundError', 'OverconstrainedError', 'NotReadableError', 'AbortError', 'SecurityError'].map((name) => of(name)),
      ['denied', 'none', 'none', 'busy', 'busy', 'insecure']);
    assert.equal(of('NotAllowedError', true), 'inApp');
  });
});

describe('what waits', () => {
  const signOn = (id: string, minute: number): SignOn => ({
    sign_on_id: id, site: { name: 's', domain: 's' }, browser: null, os: null, place: null, number: null,
    requested_at: new Date(minute * 60_000).toISOString(), expires_at: new Date((minute + 10) * 60_000).toISOString(),
  });
  const ids = (waiting: Waiting): string[] => waiting.list().map((entry) => entry.signOn.sign_on_id);

  test('newest first, of all sites; each once; expired ones leave', () => {
    const waiting = new Waiting();
    waiting.add('one', signOn('a', 1));
    waiting.add('two', signOn('b', 3));
    waiting.add('one', signOn('c', 2));
    waiting.add('one', signOn('a', 1));
    assert.deepEqual(ids(waiting), ['b', 'c', 'a']);
    waiting.replace('one', [signOn('d', 4)], waiting.mark());
    assert.deepEqual(ids(waiting), ['d', 'b']);
    assert.ok(waiting.expire(13 * 60_000) && !waiting.expire(13 * 60_000));
    assert.deepEqual(ids(waiting), ['d']);
    waiting.forget('one');
    assert.deepEqual(ids(waiting), []);
  });
});

describe('what waits, told twice', () => {
  const signOn = (id: string): SignOn => ({
    sign_on_id: id, site: { name: 's', domain: 's' }, browser: null, os: null, place: null, number: null, requested_at: '', expires_at: '',
  });

  test('an answer that was asked for earlier takes nothing away that came meanwhile', () => {
    const waiting = new Waiting();
    waiting.add('one', signOn('old'));
    const mark = waiting.mark();
    waiting.add('one', signOn('new'));
    waiting.replace('one', [], mark);
    assert.ok(waiting.has('new') && !waiting.has('old'));
  });

  test('what was answered does not come back with a late answer', () => {
    const waiting = new Waiting();
    waiting.add('one', signOn('a'));
    const mark = waiting.mark();
    waiting.remove('a');
    waiting.replace('one', [signOn('a')], mark);
    assert.ok(!waiting.has('a'));
  });
});

describe('words', () => {
  test('every language says everything, with the same names to fill in', () => {
    const names = (text: unknown): string[] => [...JSON.stringify(text).matchAll(/\{(\w+)\}/g)].map(([, name]) => name!).sort();
    const { en, ...others } = LANGUAGES;
    for (const [language, texts] of Object.entries(others)) {
      for (const [key, text] of Object.entries(en) as [keyof typeof en, unknown][]) {
        assert.deepEqual(names(texts[key]), names(text), `${language}: ${key}`);
        const said = (one: unknown): string[] => (typeof one === 'string' ? [one] : Object.values(one as Record<string, string | string[]>).flat());
        assert.ok(said(texts[key]).every((one) => one.trim() !== ''), `${language}: ${key}`);
        if (typeof text === 'object') assert.deepEqual(Object.keys(texts[key]), Object.keys(text as object), `${language}: ${key}`);
      }
    }
  });

  test('every code that a route of the phone answers with has its words in every language', () => {
    const here = path.dirname(fileURLToPath(import.meta.url));
    type Route = { tags?: string[]; responses: Record<string, { description?: string }> };
    const { paths } = JSON.parse(fs.readFileSync(path.resolve(here, '../../../docs/openapi.json'), 'utf8')) as { paths: Record<string, Record<string, Route>> };
    const routes = Object.values(paths).flatMap((methods) => Object.values(methods)).filter(({ tags }) => tags?.includes('phone'));
    const codes = new Set(routes.flatMap(({ responses }) => Object.values(responses).flatMap(({ description }) => description?.match(/\b\d{4}\b/g) ?? [])));
    assert.ok(codes.size > 15, [...codes].join());
    for (const [language, { errors }] of Object.entries(LANGUAGES)) for (const code of codes) assert.ok(Number(code) in errors, `${language}: ${code}`);
  });

  test('of a store that fails it is said that nothing was paired in pairing alone', () => {
    const { en } = LANGUAGES;
    assert.equal(explain(new NothingPaired(false), en).sentence, en.storage[1]);
    assert.ok(explain(new NothingPaired(true), en).sentence.endsWith(en.errors[1051]!));
    assert.equal(explain(new VaultError('full'), en).sentence, en.storeAway);
    for (const [language, { storeAway, storage }] of Object.entries(LANGUAGES)) assert.ok(!storeAway.includes(storage[1].split('. ').at(-1)!), language);
  });

  test('a failure is told by its hint, its reason or its code, with the tries that are left', () => {
    const { en } = LANGUAGES;
    assert.deepEqual(explain(new Refused(1036, 'x', { attempts_left: 2 }, 0), en), { sentence: 'Your face was not recognised. Tries left: 2.', code: 1036 });
    assert.equal(explain(new Refused(1035, 'x', { reason: 'too_dark' }, 0), en).sentence, en.reasons.too_dark);
    assert.equal(explain(new Refused(1037, 'x', { hint: 'blink_again', attempts_left: 0 }, 0), en).sentence, en.reasons.blink_again);
    assert.equal(explain(new Refused(1999, 'The server’s own words.', {}, 0), en).sentence, 'The server’s own words.');
    assert.deepEqual(explain(new Unreachable(), en), { sentence: en.unreachable, code: null });
  });

  test('times', () => {
    assert.equal(ago(0, 59_000, 'en', 'now'), 'now');
    assert.equal(ago(0, 5 * 60_000, 'en', 'now'), '5 minutes ago');
    assert.equal(ago(0, 2 * 86_400_000, 'de', 'jetzt'), 'vor 2 Tagen');
    assert.equal(countdown(61_000), '1:01');
    assert.equal(countdown(-5), '0:00');
  });
});

test('a release that changes any file of the app, also the engine alone, is another version to the service worker', () => {
  const build = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../build');
  const manifest = JSON.parse(fs.readFileSync(path.join(build, 'manifest.json'), 'utf8')) as Record<string, { file: string }>;
  const files = Object.entries(manifest).filter(([name]) => /^(style|phone)\//.test(name) && name !== 'phone/sw.js').map(([, { file }]) => file);
  const worker = fs.readFileSync(path.join(build, manifest['phone/sw.js']!.file), 'utf8');
  assert.ok(worker.includes(`"${version(files)}"`), 'the worker is of another version than its files');
  for (const file of files) assert.notEqual(version(files), version(files.map((one) => (one === file ? `${one}x` : one))), file);
});

test('the first load is at most 120 KB on the wire, and nothing in it is inline or evaluated', () => {
  const build = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../build');
  const manifest = JSON.parse(fs.readFileSync(path.join(build, 'manifest.json'), 'utf8')) as Record<string, { file: string }>;
  const isLater = (name: string): boolean => name.startsWith('phone/engine');
  const names = Object.keys(manifest).filter((name) => (name.startsWith('phone/') || name.startsWith('style/')) && !isLater(name));
  assert.ok(names.includes('phone/phone.js') && names.includes('phone/sw.js') && names.includes('phone/code-worker.js'));
  const zipped = (name: string): number => zlib.gzipSync(fs.readFileSync(path.join(build, manifest[name]!.file)), { level: 9 }).length;
  const sum = (those: string[]): number => those.reduce((size, name) => size + zipped(name), 0);
  assert.ok(sum(names) <= 120 * 1024, `${sum(names)} bytes gzipped`);
  // The engine comes when a scan is near.
  const engine = sum(Object.keys(manifest).filter(isLater));
  assert.ok(engine <= 400_000, `${engine} bytes gzipped`);
  const script = fs.readFileSync(path.join(build, manifest['phone/phone.js']!.file), 'utf8');
  assert.ok(!/\beval\(|new Function\(|createObjectURL\(new Blob\(\[`/.test(script));
});
