// What the guides and the reference tell to paste: every line is run, every snippet is put into a page.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';

import { Axiam, beside, REPOSITORY } from './support/axiam.mjs';
import { openBrowser } from './support/browser.mjs';
import { reactComponent } from './support/frameworks.mjs';
import { data } from './support/http.mjs';
import { people } from './support/photos.mjs';
import { RelyingSite } from './support/relying-site.mjs';
import { Site } from './support/site.mjs';
import { Widget } from './support/widget.mjs';

const [owner] = people();
const guide = (name) => fs.readFileSync(path.join(REPOSITORY, 'docs/guides', `${name}.md`), 'utf8');
const blocks = (text, language) => [...text.matchAll(new RegExp(`^\`\`\`${language}(?: \\S+)?\\n(.*?)^\`\`\`$`, 'gms'))].map(([, code]) => code);

let axiam;
before(async () => { axiam = await Axiam.start({ demo: true }); });
after(() => axiam?.stop());

function bash(lines, env = {}) {
  const run = spawnSync('bash', ['-e'], { input: lines, cwd: REPOSITORY, env: { ...axiam.environment, ...env }, encoding: 'utf8', timeout: 60_000 });
  assert.equal(run.status, 0, `${lines}\n${run.stdout}${run.stderr}`);
  return run.stdout;
}

for (const name of ['enrolment', 'verification-tokens', 'several-sites', 'testing']) test(`the lines of the guide "${name}" lead to what it says`, () => {
  const text = guide(name);
  const lines = blocks(text, 'sh').join('\n')
    .replaceAll(/^(target\/release\/)?axiam /gm, `${beside('axiam')} --data-dir ${axiam.dataDir} `)
    .replace('./data/demo.env', `${axiam.dataDir}/demo.env`)
    .replaceAll('status.json', `${axiam.dataDir}/status.json`);
  const printed = bash(lines);
  const sees = [...text.matchAll(/^You should see: (.*)$/gm)].flatMap(([, line]) => [...line.matchAll(/`([^`]+)`/g)].map(([, code]) => code));
  assert.ok(sees.length > 0);
  for (const seen of sees) assert.ok(printed.includes(seen), `${seen}: ${printed}`);
});

describe('the reference', () => {
  let site, ann;
  const pages = {};
  before(async () => {
    site = await axiam.createSite('https://shop.example');
    await site.authenticate();
    for (const page of ['api-tokens', 'api-clients', 'api-sign-ons', 'api-phones']) {
      pages[page] = await (await fetch(`${axiam.url}/docs/${page}.md`)).text();
    }
  });

  /** The line of a route. */
  const line = (page, route) => {
    const part = pages[page].split('\n## ').find((one) => one.startsWith(`${route}\n`));
    assert.ok(part, `${route} is not on ${page}`);
    return blocks(part, 'sh')[0];
  };
  const routes = (page) => pages[page].split('\n## ').slice(1).map((part) => part.split('\n')[0]);
  const photo = () => {
    const file = path.join(axiam.dataDir, 'photo.jpg');
    fs.writeFileSync(file, owner.photo(0));
    return file;
  };
  const call = (page, route, env) => JSON.parse(bash(line(page, route), {
    API: axiam.api, API_KEY: site.keys.api_key, SECRET_KEY: site.keys.secret_key, TOKEN: site.token, ...env,
  }));

  test('each line of a backend\'s route is answered as it says', async () => {
    const seen = new Set();
    const works = (page, route, env) => {
      const answer = call(page, route, env);
      assert.ok(answer.success === true || answer.keys, `${route}: ${JSON.stringify(answer)}`);
      seen.add(route);
      return answer.data;
    };
    works('api-tokens', 'GET /.well-known/jwks.json');
    assert.ok(works('api-tokens', 'POST /application_auth').authenticated_token);
    const overview = await (await fetch(`${axiam.url}/docs/api.md`)).text();
    const [before] = blocks(overview.split('\n## Try it\n')[1], 'sh');
    assert.match(bash(`${before.replace('./data/demo.env', `${axiam.dataDir}/demo.env`)}\necho "$TOKEN"`), /^eyJ[\w-]+\.[\w-]+\.[\w-]+\n$/);
    works('api-clients', 'POST /client/create');
    ann = await site.person('ann@example.com', { photos: [owner.photo(0)] });
    const other = await site.createClient('other@example.com');
    works('api-clients', 'POST /client/qrcode', { CLIENT: other });
    works('api-clients', 'POST /client/upload_facial', { CLIENT: other, PHOTO: photo() });
    assert.equal(works('api-clients', 'GET /client/{id}', { CLIENT: other }).face_enrolled, true);
    works('api-clients', 'POST /client/unlock', { CLIENT: other });
    assert.ok(works('api-clients', 'POST /client/delete', { CLIENT: other }).receipt);
    const hers = { CLIENT: ann.id, DEVICE: data(await ann.phone.send('GET', '/device')).devices[0].device_id };
    works('api-clients', 'POST /client/confirm_device', hers);
    const first = works('api-clients', 'POST /client/send_push').verification_token;
    works('api-sign-ons', 'POST /login/cancel', { VERIFICATION: first });
    assert.equal(works('api-sign-ons', 'POST /login/lookup_client').client_id, ann.id);
    const { verification_token, number } = works('api-sign-ons', 'POST /login/push_notification', { CLIENT: ann.id });
    data(await ann.phone.scan([owner.photo(1)], number === null ? {} : { number }));
    const { client_session_token } = works('api-sign-ons', 'GET /login/status', { VERIFICATION: verification_token });
    const proof = { CLIENT: ann.id, SESSION: client_session_token, VERIFICATION: verification_token };
    assert.equal(works('api-sign-ons', 'POST /login/validate_session', proof).email, 'ann@example.com');
    works('api-clients', 'POST /client/revoke_device', hers);
    assert.deepEqual([...seen].sort(), ['api-tokens', 'api-clients', 'api-sign-ons'].flatMap(routes).sort());
  });

  test('each line of a phone\'s route is refused for want of a proof, and for nothing else', () => {
    for (const route of routes('api-phones')) {
      const answer = call('api-phones', route, { PHOTO: photo(), ANSWER: '{}', CLIENT: ann.id, DEVICE: ann.id, SIGN_ON: ann.id, DEVICE_TOKEN: 'dt_x', PROOF: 'none', ENROLLMENT: 'et_x' });
      assert.equal(answer.code, 1050, `${route}: ${JSON.stringify(answer)}`);
    }
  });
});

describe('the guide to the widget', () => {
  const text = guide('widget');
  const snippet = (file) => {
    const found = [...text.matchAll(/^```\w+ (\S+)\n(.*?)^```$/gms)].find(([, name]) => name === file);
    assert.ok(found, `the guide shows no ${file}`);
    return found[2];
  };
  const here = (code) => code.replaceAll('https://signin.example.com', axiam.url).replaceAll('wss://signin.example.com', axiam.url.replace('http', 'ws'));
  let relying, browser, context, page;
  before(async () => {
    const site = new Site(axiam, JSON.parse(await axiam.must('site', 'create', '--url', 'http://127.0.0.1', '--test', '--json')));
    await site.authenticate();
    relying = await RelyingSite.start(axiam, site);
    relying.file('axiam-token', '', 'text/plain');
    browser = await openBrowser();
  });
  after(async () => {
    await browser?.close();
    await relying?.stop();
  });
  beforeEach(async () => {
    relying.posts.length = 0;
    relying.file('axiam-token', await relying.site.widgetToken(), 'text/plain');
    context = await browser.newContext();
    page = await context.newPage();
    page.complaints = [];
    page.on('console', (message) => message.type() === 'error' && page.complaints.push(message.text()));
    page.on('pageerror', (error) => page.complaints.push(String(error)));
  });
  afterEach(() => context.close());

  const body = '<meta name="csrf-token" content="c5rf"><div id="sign-in"></div><div id="app"></div><p id="account"></p>';
  const csp = () => `default-src 'none'; img-src data:; ${here(snippet('csp')).trim()}`;

  /** Signs in on a page that has the widget: the form arrives with the CSRF token, and nothing was complained of. */
  async function signsIn() {
    await new Widget(page).send('approve@example.test');
    await page.getByText('Hello approve@example.test').waitFor({ timeout: 15_000 });
    const [{ fields, redeemed }] = relying.posts;
    assert.equal(fields.csrf_token, 'c5rf');
    assert.equal(redeemed.data.email, 'approve@example.test');
    assert.deepEqual(page.complaints, []);
  }

  test('its element signs in under its policy', async () => {
    const html = here(snippet('sign-in.html')).replace('{{ widget_token }}', await relying.site.widgetToken()).replace('{{ csrf_token }}', 'c5rf');
    await page.goto(relying.page('element', { body: html, widget: false, csp: `${csp()}`.replace('script-src', `script-src ${relying.url}`) }));
    await signsIn();
  });

  test('its script with a function for the token signs in', async () => {
    await page.goto(relying.page('script', { body, script: snippet('sign-in.js') }));
    await signsIn();
  });

  test('its app without page loads keeps the form back and posts by itself', async () => {
    await page.goto(relying.page('spa', { body, script: snippet('spa.js') }));
    const url = page.url();
    await new Widget(page).send('approve@example.test');
    await page.locator('#account').getByText('Hello approve@example.test').waitFor({ timeout: 15_000 });
    assert.equal(page.url(), url);
    assert.equal(relying.posts[0].fields.csrf_token, 'c5rf');
    assert.equal(relying.posts.length, 1);
    assert.deepEqual(page.complaints, []);
  });

  test('its React component signs in, in strict mode', async () => {
    const script = await reactComponent(here(snippet('FaceLogin.jsx')));
    await page.goto(relying.page('react', { body, script, widget: false }));
    await signsIn();
  });

  test('names every option, event and state that there is, and no other', () => {
    const options = fs.readFileSync(path.join(REPOSITORY, 'web/widget/src/options.ts'), 'utf8');
    const part = options.slice(options.indexOf('export interface Options'), options.indexOf('export type Callback'));
    const known = [...part.matchAll(/^ {2}(\w+)[?:(]/gm)].map(([, name]) => name).sort();
    const section = (title) => text.split(`## ${title}\n`)[1].split('\n## ')[0];
    const told = [...section('Options').matchAll(/^\| (`[^|]+) \|/gm), ...section('Events').matchAll(/^\| (`[^|]+) \|/gm)]
      .flatMap(([, names]) => [...names.matchAll(/`(\w+)/g)].map(([, name]) => name)).sort();
    assert.deepEqual(told, known);
    const machine = fs.readFileSync(path.join(REPOSITORY, 'web/widget/src/machine.ts'), 'utf8');
    const states = [...machine.slice(0, machine.indexOf('export type StateName')).matchAll(/\{ name: '(\w+)'/g)].map(([, name]) => name);
    for (const state of new Set(states)) assert.match(section('Events'), new RegExp(`\\b${state}\\b`));
  });
});
