// TLS as operators have it: by the program itself, by nginx, by Caddy, the last two as docs/guides/production.md tells.
// Each time the demo's journey in a browser, with the cable over wss and a phone that trusts the certificate.

import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';

import { Axiam, freePort, REPOSITORY, sleep } from './support/axiam.mjs';
import { openBrowser, seriousFaults } from './support/browser.mjs';
import { Widget } from './support/widget.mjs';

const PICTURES = process.env.AXIAM_TEST_PICTURES;

/** Where a program is; undefined where nowhere. */
const program = (name) => [`/usr/sbin/${name}`, `/usr/bin/${name}`, `/usr/local/bin/${name}`, `/opt/homebrew/bin/${name}`].find(fs.existsSync);

let browser;
before(async () => { browser = await openBrowser(); });
after(() => browser?.close());

/** The only code block of this kind in the guide. */
function snippet(kind) {
  const guide = fs.readFileSync(path.join(REPOSITORY, 'docs/guides/production.md'), 'utf8');
  const found = [...guide.matchAll(new RegExp(`^\`\`\`${kind}\n(.*?)^\`\`\``, 'gms'))];
  assert.equal(found.length, 1, `code blocks of ${kind}`);
  return found[0][1];
}

/** A text with each of these replaced, all of which must be there. */
function put(text, replacements) {
  for (const [from, to] of replacements) {
    assert.ok(text.includes(from), `${from} is not in the snippet`);
    text = text.replaceAll(from, to);
  }
  return text;
}

/** Signs up and in at `url` by the pages of the demo, as a browser and a phone that trust `authority`. */
async function journey(axiam, url, authority) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  try {
    const page = await context.newPage();
    const cables = [];
    page.on('websocket', (socket) => cables.push(socket.url()));
    await page.goto(`${url}/demo`);
    await page.locator('#up-email').fill('ann@example.com');
    await page.getByRole('button', { name: 'Show the code' }).click();
    await page.getByRole('heading', { name: 'Pair your phone' }).waitFor();
    const lines = await page.getByLabel('Commands').textContent();
    assert.ok(lines.includes(`${url}/phone/#`), lines);
    const env = { ...axiam.environment, SSL_CERT_FILE: authority };
    const phone = (input) => spawnSync('sh', ['-e'], { input, cwd: REPOSITORY, env, encoding: 'utf8', timeout: 60_000 });
    const paired = phone(lines);
    assert.equal(paired.status, 0, `${lines}\n${paired.stdout}${paired.stderr}`);
    await page.goto(`${url}/demo`);
    const number = await new Widget(page).ask('ann@example.com');
    const [line] = lines.split(' pair ');
    const scanned = phone(`${line} scan models/build/demo-faces/person1/02.jpg --number ${number}`);
    assert.equal(scanned.status, 0, scanned.stdout + scanned.stderr);
    await page.getByRole('heading', { name: 'You are signed in as ann@example.com' }).waitFor();
    assert.ok(cables.length > 0 && cables.every((cable) => cable.startsWith(`${url.replace('https', 'wss')}/cable`)), `${cables}`);
  } finally {
    await context.close();
  }
}

describe('a certificate of its own', () => {
  let axiam, url;
  before(async () => {
    axiam = await Axiam.start({ demo: true, settings: { AXIAM_TLS_MODE: 'own' } });
    url = axiam.url.replace('http:', 'https:');
  });
  after(() => axiam?.stop());

  test('a browser and a phone that trust it sign in', () =>
    journey(axiam, url, path.join(axiam.dataDir, 'tls/authority.crt')));

  const missing = ['openssl', 'curl'].filter((name) => !program(name));
  test('OpenSSL and curl take it from the file that the page gives', { skip: missing.length ? `${missing} not installed` : false }, () => {
    const file = path.join(axiam.dataDir, 'downloaded.pem');
    const der = execFileSync('curl', ['-sS', '--fail', `${axiam.url}/trust/axiam.crt`]);
    fs.writeFileSync(file, execFileSync('openssl', ['x509', '-inform', 'DER'], { input: der }));
    const told = execFileSync('curl', ['-sS', '--fail', '--cacert', file, `${url}/health/ready`], { encoding: 'utf8' });
    assert.match(told, /"ok"|ready|true/);
    const fingerprint = execFileSync('openssl', ['x509', '-noout', '-fingerprint', '-sha256', '-in', file], { encoding: 'utf8' });
    assert.ok(axiam.log.includes(fingerprint.trim().split('=')[1]), `${fingerprint} is not in\n${axiam.log}`);
    assert.throws(() => execFileSync('curl', ['-sS', `${url}/health/ready`], { stdio: 'pipe' }), /certificate/);
  });

  test('the page that tells phones how has nothing serious that axe finds, and fits', async () => {
    const faults = {};
    for (const colorScheme of ['light', 'dark']) {
      for (const width of [280, 360, 1280]) {
        const context = await browser.newContext({ viewport: { width, height: 800 }, colorScheme });
        const page = await context.newPage();
        // In plain text, as a phone that does not trust it yet.
        await page.goto(`${axiam.url}/trust`);
        await page.getByRole('img').evaluate((image) => image.decode());
        const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
        const found = [...await seriousFaults(page), ...(wide ? ['scrolls sideways'] : [])];
        if (found.length) faults[`${width} ${colorScheme}`] = found;
        if (PICTURES) await page.screenshot({ path: path.join(PICTURES, `trust-${width}-${colorScheme}.png`), fullPage: true });
        await context.close();
      }
    }
    assert.deepEqual(faults, {});
  });
});

describe('behind a proxy, as the guide tells', () => {
  const proxies = [
    ['nginx', 'nginx', ({ folder, snippet }) => {
      fs.writeFileSync(path.join(folder, 'nginx.conf'), `
        ${process.getuid() === 0 ? 'user root;' : ''} daemon off; worker_processes 1; pid ${folder}/pid; error_log stderr;
        events {}
        http {
          access_log off;
          ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((one) => `${one}_temp_path ${folder}/${one};`).join(' ')}
          ${snippet}
        }`);
      return ['-p', folder, '-c', path.join(folder, 'nginx.conf'), '-e', 'stderr'];
    }],
    ['caddy', 'caddyfile', ({ folder, snippet }) => {
      fs.writeFileSync(path.join(folder, 'Caddyfile'), `{\nadmin off\nauto_https off\n}\n${snippet}`);
      return ['run', '--config', path.join(folder, 'Caddyfile'), '--adapter', 'caddyfile'];
    }],
  ];
  for (const [name, kind, prepare] of proxies) {
    test(name, { skip: program(name) ? false : `${name} is not installed` }, async () => {
      const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'axiam-proxy-'));
      const certificate = path.join(folder, 'server.pem'), key = path.join(folder, 'server.key');
      execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2',
        '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-addext', 'basicConstraints=critical,CA:FALSE', '-keyout', key, '-out', certificate], { stdio: 'pipe' });
      const port = await freePort();
      const url = `https://localhost:${port}`;
      const axiam = await Axiam.start({ demo: true, settings: { AXIAM_SERVER_PUBLIC_URL: url, AXIAM_SERVER_TRUSTED_PROXIES: '127.0.0.1,::1' } });
      let proxy;
      try {
        const text = kind === 'nginx'
          ? put(snippet(kind), [['127.0.0.1:3000', `127.0.0.1:${axiam.port}`], ['443 ssl', `127.0.0.1:${port} ssl`], ['signin.example.com', 'localhost'],
            ['/etc/ssl/signin.pem', certificate], ['/etc/ssl/signin.key', key]])
          : put(snippet(kind), [['127.0.0.1:3000', `127.0.0.1:${axiam.port}`], ['signin.example.com {', `https://localhost:${port} {\nbind 127.0.0.1\ntls ${certificate} ${key}`]]);
        let log = '';
        const home = { ...process.env, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
        proxy = spawn(program(name), prepare({ folder, snippet: text }), { stdio: ['ignore', 'pipe', 'pipe'], env: home });
        for (const out of [proxy.stdout, proxy.stderr]) out.on('data', (chunk) => { log += chunk; });
        const deadline = Date.now() + 30_000;
        const answers = () => spawnSync('curl', ['-sf', '--cacert', certificate, `${url}/health/live`]).status === 0;
        while (!answers()) {
          assert.ok(Date.now() < deadline && proxy.exitCode === null, `${name} does not answer: ${log}`);
          await sleep(50);
        }
        await journey(axiam, url, certificate);
        // Whoever claims to be elsewhere is not believed: the log knows where the proxy was called from.
        const forged = spawnSync('curl', ['-s', '--cacert', certificate, '-H', 'X-Forwarded-For: 203.0.113.7', '-H', 'Content-Type: application/json',
          '-d', '{"api_key":"none","secret_key":"none"}', `${url}/api/v1/facial_sign_on/application_auth`], { encoding: 'utf8' });
        assert.match(forged.stdout, /"success":false/);
        const lines = await axiam.must('audit', 'export');
        assert.ok(!lines.includes('203.0.113.7') && lines.includes('127.0.0.1'), 'the network in the audit log');
      } finally {
        if (proxy && proxy.exitCode === null) {
          const gone = new Promise((resolve) => proxy.once('exit', resolve));
          proxy.kill('SIGTERM');
          await gone;
        }
        await axiam.stop();
        fs.rmSync(folder, { recursive: true, force: true });
      }
    });
  }
});
