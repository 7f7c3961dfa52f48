// Each Getting Started as a newcomer follows it: from an empty folder to a redeemed sign-on, and each "You should see".
// Only what comes from a registry is taken from this machine instead, so that the test needs no network.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';

import { Axiam, beside, freePort, REPOSITORY } from './support/axiam.mjs';
import { openBrowser } from './support/browser.mjs';
import { Example, EXAMPLES, PYTHON } from './support/examples.mjs';
import { Widget } from './support/widget.mjs';

const GUIDES = ['php', 'node', 'ruby', 'python'];

/** What a line that installs packages becomes here. */
const INSTALLED = [
  ['npm install\n', `ln -s '${REPOSITORY}/web/e2e/node_modules' node_modules\n`],
  ['gem install sinatra rackup puma\n', ''],
  ['python3 -m venv .venv && .venv/bin/pip install flask requests', `mkdir -p .venv/bin && ln -s "$(command -v ${PYTHON})" .venv/bin/python`],
];

/** The files of examples/ that a guide shows, by the name it gives them. */
const SHOWN = {
  php: { 'axiam.php': 'php/axiam.php', 'public/index.php': 'php/public/index.php' },
  node: { 'package.json': 'node/package.json', 'axiam.js': 'node/axiam.js', 'server.js': 'node/server.js' },
  ruby: {
    'axiam.rb': 'ruby/axiam.rb',
    'app.rb': 'ruby/app.rb',
    'app/controllers/sessions_controller.rb': 'rails/sessions_controller.rb',
    'app/views/sessions/new.html.erb': 'rails/new.html.erb',
  },
  python: { 'axiam.py': 'python/axiam.py', 'app.py': 'python/app.py', 'templates/page.html': 'python/templates/page.html' },
};

/** The steps of a guide: {title, blocks: [{file or null, text}], sees: [text]}. */
function steps(name) {
  const text = fs.readFileSync(path.join(REPOSITORY, 'docs/guides', `${name}.md`), 'utf8');
  return text.split(/^## /m).slice(1).map((part) => ({
    title: part.split('\n')[0],
    blocks: [...part.matchAll(/^```(\w+)(?: (\S+))?\n(.*?)^```$/gms)].map(([, , file, text]) => ({ file: file ?? null, text })),
    sees: [...part.matchAll(/^You should see: ((?:`[^`]+`(?:,| and|) ?)+)/gm)].flatMap(([, list]) => [...list.matchAll(/`([^`]+)`/g)].map(([, code]) => code)),
  }));
}

for (const name of GUIDES) {
  const kind = EXAMPLES.find((one) => one.name === name);
  describe(`Getting started: ${name}`, () => {
    test('shows the files of the example as they are', () => {
      const shown = steps(name).flatMap(({ blocks }) => blocks).filter(({ file }) => file);
      assert.deepEqual(shown.map(({ file }) => file).sort(), Object.keys(SHOWN[name]).sort());
      for (const { file, text } of shown) {
        const example = fs.readFileSync(path.join(REPOSITORY, 'examples', SHOWN[name][file]), 'utf8');
        assert.equal(text, example, `docs/guides/${name}.md shows another ${file} than examples/${SHOWN[name][file]}`);
      }
    });

    test('has six steps at most, each with what it leads to', () => {
      const numbered = steps(name).filter(({ title }) => /^\d/.test(title));
      assert.ok(numbered.length >= 4 && numbered.length <= 6, `${numbered.length} steps`);
      for (const { title, sees } of numbered) assert.ok(sees.length > 0, `"${title}" does not say what one should see`);
    });

    describe('followed', { skip: kind.missing ? `not installed: ${kind.missing}` : false }, () => {
      let axiam, folder, browser, site;
      before(async () => {
        axiam = await Axiam.start({ demo: true });
        folder = fs.mkdtempSync(path.join(os.tmpdir(), `axiam-start-${name}-`));
        browser = await openBrowser();
      });
      after(async () => {
        await browser?.close();
        await site?.stop();
        await axiam?.stop();
        if (folder) fs.rmSync(folder, { recursive: true, force: true });
      });

      const run = async (register) => {
        const begun = Date.now();
        const port = await freePort();
        const here = (text) => text.replaceAll('127.0.0.1:8000', `127.0.0.1:${port}`).replaceAll('http://127.0.0.1:3000', axiam.url);
        const [start, registering, write, serve, signIn, refused] = steps(name);

        // `make run` builds and then does this.
        assert.equal(start.blocks[0].text, 'make run\n');
        assert.ok(start.sees.every((text) => axiam.log.includes(here(text))), axiam.log);

        const shell = (text, cwd) => {
          const run = spawnSync('bash', ['-e'], { input: text, cwd, env: axiam.environment, encoding: 'utf8', timeout: 60_000 });
          assert.equal(run.status, 0, `${text}\n${run.stdout}${run.stderr}`);
          return run.stdout + run.stderr;
        };
        const keys = await register({ registering, here, shell });
        for (const text of registering.sees) assert.ok(keys.includes(text), `${text}: ${keys}`);

        let cwd = folder;
        let printed = '';
        for (const { file, text } of write.blocks) {
          if (file) {
            fs.writeFileSync(path.join(cwd, file), text);
            continue;
          }
          printed = shell(INSTALLED.reduce((line, [from, to]) => line.replace(from, to), text), cwd);
          if (/^cd shop$/m.test(text)) cwd = path.join(cwd, 'shop');
        }
        for (const text of write.sees) assert.ok(printed.includes(text), `${text}: ${printed}`);

        const key = (word) => new RegExp(`^${word}\\s+(\\S+)`, 'm').exec(keys)[1];
        const lines = here(serve.blocks[0].text).replace('ak_…', key('api_key')).replace('sk_…', key('secret_key'));
        assert.ok(!lines.includes('…'));
        // Where the guide leaves the port to the program, it is told another one.
        site = new Example();
        site.folder = cwd;
        await site.run(['bash', '-ec', lines.replace(/\n([^\n]+)\n$/, '\nexec $1\n')], port, axiam.environment);
        for (const text of serve.sees) assert.ok(site.log.includes(here(text)), `${text}: ${site.log}`);

        const page = await browser.newPage();
        const widget = new Widget(page);
        await page.goto(site.url);
        await widget.send('approve@example.test');
        await page.getByText(signIn.sees[0], { exact: true }).waitFor({ timeout: 15_000 });
        console.log(`      ${name}: from an empty folder to a redeemed sign-on in ${((Date.now() - begun) / 1000).toFixed(1)} s, by a machine that does not read`);

        await page.getByRole('button', { name: 'Sign out' }).click();
        await widget.send('deny@example.test');
        await page.getByText(refused.sees[0], { exact: true }).waitFor({ timeout: 15_000 });
      };

      /** As the guide says it, on the command line. */
      const byCommand = ({ registering, here, shell }) => {
        const program = `${beside('axiam')} --data-dir ${axiam.dataDir}`;
        return shell(here(registering.blocks[0].text).replace('target/release/axiam', program), folder);
      };

      test('from an empty folder to a redeemed sign-on', () => run(byCommand));

      /** In the dashboard, from the printed link on, in the words that the command prints. An app on this machine begins in test mode. */
      const inDashboard = async ({ registering, here }) => {
        const owner = await browser.newPage();
        const press = (name) => owner.getByRole('button', { name }).click();
        await owner.goto(axiam.log.match(/http\S+\/dashboard\/set-up\?token=\S+/)[0]);
        await owner.getByLabel('Your e-mail address').fill('owner@example.com');
        await owner.getByLabel('Password').fill('a sentence nobody else would write');
        await press('Make the account');
        await owner.getByRole('link', { name: 'Add New App' }).click();
        await owner.getByLabel('Address of your site').fill(here(registering.blocks[0].text.match(/--url (\S+)/)[1]));
        await press('Find the domain');
        await press('Add 127.0.0.1');
        const key = (id) => owner.locator(`#key-${id}`).textContent();
        const keys = `api_key ${await key('api-key')}\nsecret_key ${await key('secret-key')}\n`;
        await owner.close();
        return keys;
      };

      if (name === 'node') {
        test('the same with the keys that the dashboard shows', async () => {
          await site.stop();
          fs.rmSync(folder, { recursive: true, force: true });
          folder = fs.mkdtempSync(path.join(os.tmpdir(), `axiam-start-${name}-`));
          await axiam.stop();
          axiam = await Axiam.start({ demo: true });
          await run(inDashboard);
        });
      }
    });
  });
}
