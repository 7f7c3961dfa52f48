// The first sign-on as the README prints it: `curl` for the site's side, `axiam phone` for the person's.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { Axiam, REPOSITORY } from './support/axiam.mjs';
import { data } from './support/http.mjs';
import { Page } from './support/page.mjs';
import { people } from './support/photos.mjs';

const [owner, stranger] = people();
let axiam, site, page, clientId, phoneFile;
before(async () => {
  axiam = await Axiam.start({ demo: true });
  site = await axiam.createSite('http://localhost:8080');
  phoneFile = path.join(axiam.dataDir, 'a-phone.json');
});
after(async () => {
  page?.close();
  await axiam?.stop();
});

const hasCurl = () => spawnSync('curl', ['--version']).status === 0;
const phone = (...args) => axiam.run('phone', '--phone', phoneFile, ...args);
async function must(...args) {
  const { code, stdout, stderr } = await phone(...args);
  assert.equal(code, 0, `axiam phone ${args.join(' ')}: ${stdout}${stderr}`);
  return stdout;
}

test('the lines that the first start prints are a first sign-on', { skip: hasCurl() ? false : 'curl is not installed' }, async () => {
  const lines = axiam.log.split('\n').filter((line) => line.startsWith('  '));
  assert.ok(lines.length >= 8, axiam.log);
  const { stdout, stderr, status } = spawnSync('sh', ['-e'], {
    input: lines.join('\n'),
    cwd: REPOSITORY,
    env: axiam.environment,
    encoding: 'utf8',
    timeout: 60_000,
  });
  const about = `${lines.join('\n')}\n${stdout}${stderr}`;
  assert.equal(status, 0, about);
  const answer = JSON.parse(stdout.trim().split('\n').at(-1));
  assert.equal(answer.success, true, about);
  assert.ok(answer.data.email, about);
});

test('keys on disk are for their owner only', () => {
  const files = fs.readdirSync(axiam.dataDir).filter((file) => /\.(key|env|json)$/.test(file));
  assert.ok(files.length > 0);
  for (const file of files) assert.equal(fs.statSync(path.join(axiam.dataDir, file)).mode & 0o077, 0, `${file} is readable by others`);
});

test('a site is registered once, with its keys', async () => {
  for (const [key, pattern] of Object.entries({ site_id: /^\S+$/, api_key: /^\S{16,}$/, secret_key: /^\S{16,}$/, channel_prefix: /^ch_/ })) {
    assert.match(site.keys[key], pattern, key);
  }
  assert.equal(site.keys.domain, 'localhost');
  assert.match(await axiam.must('site', 'list'), /localhost/);
  assert.ok(!(await axiam.must('site', 'list')).includes(site.keys.secret_key), 'the secret key is shown once');
  await axiam.must('site', 'set', site.id, 'liveness=off');
  const wrong = await axiam.run('site', 'set', site.id, 'no_such_setting=1');
  assert.notEqual(wrong.code, 0);
  assert.match(wrong.stderr, /no_such_setting/);
});

test('addresses of sites are normalised or refused', async () => {
  for (const [url, domain] of [
    ['https://Example.com:8443/path', 'example.com'],
    ['www.example.org', 'example.org'],
    ['bücher.example', 'xn--bcher-kva.example'],
  ]) assert.equal((await axiam.createSite(url)).keys.domain, domain);
  for (const url of ['com', 'co.uk', 'exa mple.com', '127.0.0.1:99999', 'x'.repeat(300)]) {
    const { code, stderr } = await axiam.run('site', 'create', '--url', url);
    assert.notEqual(code, 0, url);
    assert.ok(stderr.trim().length > 0, url);
    assert.doesNotMatch(stderr, /panicked|Error\s*\{/, url);
  }
});

test('pair and enrol', async () => {
  await site.authenticate();
  clientId = await site.createClient('you@example.com', 'You');
  const { enrollment_url } = await site.qrcode(clientId, 'signup');
  await must('pair', enrollment_url);
  assert.equal(fs.statSync(phoneFile).mode & 0o077, 0, 'only the owner may read the phone’s key');
  await must('enrol', owner.files[0]);
});

test('pending and scan: the page hears it and the backend redeems it', async () => {
  const { verification_token } = await site.push(clientId);
  page = new Page(axiam, { token: site.pageToken });
  const verdict = await page.listen('FacialSignOnLoginChannel', { verification_token });
  assert.match(await must('pending'), /localhost/);
  await must('scan', owner.files[1 % owner.files.length]);
  const verified = await verdict.hears('verified');
  assert.equal(data(await site.validateSession(verified.client_session_token, clientId)).email, 'you@example.com');
});

test('another face and a refusal end with a sentence and an exit code', async () => {
  await site.push(clientId);
  const wrong = await phone('scan', stranger.files[0]);
  assert.notEqual(wrong.code, 0);
  assert.match(wrong.stdout + wrong.stderr, /1036/);
  await must('deny');
  const nothing = await phone('scan', owner.files[0]);
  assert.notEqual(nothing.code, 0);
  assert.ok((nothing.stdout + nothing.stderr).trim().length > 0);
});

test('two faces are compared', async () => {
  const same = JSON.parse(await axiam.must('face', 'compare', owner.files[0], owner.files[1 % owner.files.length], '--json'));
  const different = JSON.parse(await axiam.must('face', 'compare', owner.files[0], stranger.files[0], '--json'));
  assert.ok(same.distance < different.distance, JSON.stringify({ same, different }));
});

test('doctor says where liveness is off, and what is in order', async () => {
  const { stdout, stderr } = await axiam.run('doctor');
  assert.match(stdout + stderr, /liveness +off at localhost/);
});

test('what is misspelt is said with a sentence', async () => {
  const unknown = await axiam.run('serv');
  assert.notEqual(unknown.code, 0);
  assert.match(unknown.stderr, /serve/);
  const file = path.join(axiam.dataDir, 'wrong.toml');
  fs.writeFileSync(file, '[server]\nlisten_on = "127.0.0.1:1"\n');
  const setting = await axiam.run('--config', file, 'doctor');
  assert.notEqual(setting.code, 0);
  assert.match(setting.stdout + setting.stderr, /listen_on/);
});

test('photos are picked from a folder in which they are named by what they show', async () => {
  const strict = await axiam.createSite('https://active.example');
  await axiam.must('site', 'set', strict.id, 'liveness=active');
  await strict.authenticate();
  const album = fs.mkdtempSync(path.join(axiam.dataDir, 'album-'));
  const file = path.join(axiam.dataDir, 'another-phone.json');
  const { enrollment_url: link } = await strict.qrcode(await strict.createClient('someone@active.example'));
  await axiam.must('phone', '--phone', file, 'pair', link);
  const enrol = () => axiam.run('phone', '--phone', file, 'enrol', album);
  assert.match((await enrol()).stderr, /look_straight-1\.jpg/, 'an empty folder');
  fs.copyFileSync(owner.files[0], path.join(album, 'look_straight-1.jpg'));
  assert.match((await enrol()).stderr, /no photo shows a turn of the head \(.*Nothing was asked or sent/);
  for (const action of ['turn_left', 'turn_right', 'look_up', 'blink', 'open_mouth', 'come_closer']) {
    fs.mkdirSync(path.join(album, action));
    fs.copyFileSync(owner.files[1 % owner.files.length], path.join(album, action, '1.jpg'));
  }
  assert.match((await enrol()).stderr, /1037/, 'photos of somebody who does nothing');
  await axiam.must('site', 'set', strict.id, 'liveness=off');
  const enrolled = await enrol();
  assert.equal(enrolled.code, 0, enrolled.stdout + enrolled.stderr);
});
