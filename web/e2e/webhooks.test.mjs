// Webhooks as a website's developer meets them: the guide's own lines and receivers, checked by the standard's library.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { Axiam, beside, freePort, REPOSITORY } from './support/axiam.mjs';

const GUIDE = fs.readFileSync(path.join(REPOSITORY, 'docs/guides/webhooks.md'), 'utf8');
const block = (name) => new RegExp(`^\`\`\`${name}\\n(.*?)^\`\`\`$`, 'ms').exec(GUIDE)[1];
const lines = [...GUIDE.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, code]) => code);
const sees = [...GUIDE.matchAll(/^You should see: (.*)$/gm)].map(([, line]) => [...line.matchAll(/`([^`]+)`/g)].map(([, code]) => code));

const patience = AbortSignal.timeout(120_000);
let axiam, site, folder;
const children = [];

before(async () => {
  axiam = await Axiam.start({ settings: { AXIAM_OUTGOING_ALLOW: '127.0.0.0/8' } });
  const created = await axiam.run('site', 'create', '--url', 'https://shop.example', '--test', '--json');
  site = JSON.parse(created.stdout);
  // Beside the packages that the guide's lines import.
  folder = fs.mkdtempSync(path.join(REPOSITORY, 'web/e2e/node_modules/.webhooks-'));
});
after(async () => {
  children.forEach((child) => child.kill());
  if (folder) fs.rmSync(folder, { recursive: true });
  await axiam?.stop();
});

function bash(script, env) {
  const text = script.replaceAll(/^axiam /gm, `${beside('axiam')} --data-dir ${axiam.dataDir} `);
  const run = spawnSync('bash', ['-e'], { input: text, cwd: REPOSITORY, env: { ...axiam.environment, ...env }, encoding: 'utf8', timeout: 60_000 });
  assert.equal(run.status, 0, `${script}\n${run.stdout}${run.stderr}`);
  return run.stdout;
}

/** Starts a receiver of the guide; what it prints is collected. */
async function receive(program, file, code, secret) {
  fs.writeFileSync(path.join(folder, file), code);
  const port = await freePort();
  const start = (secret) => {
    const child = spawn(program, [path.join(folder, file)], { env: { ...process.env, PORT: port, AXIAM_WEBHOOK_SECRET: secret }, stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    const receiver = { url: `http://127.0.0.1:${port}/axiam`, heard: '', child };
    child.stdout.on('data', (chunk) => { receiver.heard += chunk; });
    return receiver;
  };
  return { url: `http://127.0.0.1:${port}/axiam`, start };
}

async function listening(url) {
  while (!patience.aborted) {
    if (await fetch(url, { method: 'POST', headers: { 'webhook-timestamp': '0' } }).catch(() => null)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${url} does not answer`);
}

async function until(condition, what) {
  while (!condition()) {
    if (patience.aborted) throw new Error(`never: ${what()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function deny() {
  const call = async (route, body, token) => (await (await fetch(`${axiam.api}/${route}`, {
    method: 'POST', headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) }, body: JSON.stringify(body),
  })).json()).data;
  const { authenticated_token } = await call('application_auth', { api_key: site.api_key, secret_key: site.secret_key });
  const { client_id } = await call('login/lookup_client', { email: 'deny@example.test' }, authenticated_token);
  await call('login/push_notification', { id: client_id }, authenticated_token);
  return client_id;
}

for (const [language, program, file, mark] of [['node', process.execPath, 'webhook.mjs', 'js node'], ['python', 'python3', 'webhook.py', 'python server']]) {
  test(`the guide's lines and its receiver in ${language} work together`, async () => {
    const { url, start } = await receive(program, file, block(mark), '');
    const added = bash(lines[0], { SITE: site.site_id, ENDPOINT: url });
    for (const seen of sees[0]) assert.ok(added.includes(seen), added);
    const secret = /whsec_\S+/.exec(added)[0];
    const WEBHOOK = /webhook_id +(\S+)/.exec(added)[1];
    const env = { SITE: site.site_id, WEBHOOK };
    const receiver = start(secret);
    await listening(url);

    const tried = bash(lines[1], env);
    for (const seen of sees[1]) assert.ok(tried.includes(seen), tried);
    const client = await deny();
    await until(() => receiver.heard.includes(`sign_on.denied ${client}`), () => receiver.heard);
    assert.match(receiver.heard, /^webhook\.test/);
    const nothing = bash(lines[2], env);
    for (const seen of sees[2]) assert.ok(nothing.includes(seen), nothing);

    // Both secrets are good while one takes the other's place, and a stranger's never is.
    const rotated = bash(lines[3], env);
    for (const seen of sees[3]) assert.ok(rotated.includes(seen), rotated);
    bash('axiam site webhook test $SITE $WEBHOOK', env);
    for (const [secret, works] of [[/whsec_\S+/.exec(rotated)[0], true], [`whsec_${Buffer.alloc(32).toString('base64')}`, false]]) {
      children.at(-1).kill();
      await new Promise((resolve) => children.at(-1).once('exit', resolve));
      start(secret);
      await listening(url);
      const tried = await axiam.run('site', 'webhook', 'test', site.site_id, WEBHOOK);
      assert.equal(tried.code === 0, works, tried.stdout + tried.stderr);
    }
    bash('axiam site webhook remove $SITE $WEBHOOK', env);
  });
}
