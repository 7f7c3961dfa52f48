// The snippets of docs/cable.md, as they stand there, against the program.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { Axiam, REPOSITORY, sleep } from './support/axiam.mjs';
import { data } from './support/http.mjs';
import { BrowserSocket } from './support/page.mjs';
import { people } from './support/photos.mjs';

// A browser has this by itself.
globalThis.WebSocket = BrowserSocket;

const GUIDE = fs.readFileSync(path.join(REPOSITORY, 'docs/cable.md'), 'utf8');
const SNIPPETS = [...GUIDE.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code]) => code);
// Beside the tests, where their packages are found.
const FOLDER = path.dirname(fileURLToPath(import.meta.url));

describe('the guide to the cable', () => {
  let axiam, site, person;
  before(async () => {
    axiam = await Axiam.start();
    site = await axiam.createSite('https://example.com');
    await site.authenticate();
    person = await site.person('ada@example.com', { photos: [people()[0].photo(0)] });
  });
  after(() => axiam?.stop());

  test('has a snippet for each client', () => assert.equal(SNIPPETS.length, 2));

  for (const [at, snippet] of SNIPPETS.entries()) {
    test(`snippet ${at + 1} hears the steps and the verdict, and that there is nothing to hear`, async () => {
      const file = path.join(FOLDER, `.snippet-${at}-${process.pid}.mjs`);
      const code = snippet.replaceAll('wss://signin.example.com/cable', axiam.cable);
      assert.notEqual(code, snippet);
      fs.writeFileSync(file, code);
      try {
        const { listen } = await import(file);
        const { verification_token } = await site.push(person.id);
        const heard = [];
        const gone = new Promise((resolve) => listen('vt_unknown', { onGone: () => resolve('gone') }));
        const verdict = new Promise((resolve) => {
          listen(verification_token, { onStep: (step) => heard.push(step.status), onVerdict: resolve });
        });
        await sleep(300);
        data(await person.phone.scan([people()[0].photo(1)]));
        assert.equal((await verdict).status, 'verified');
        assert.deepEqual(heard, ['scanning']);
        assert.equal(await gone, 'gone');
        const { client_session_token, client_id } = await verdict;
        data(await site.validateSession(client_session_token, client_id));
      } finally {
        fs.rmSync(file);
      }
    });
  }
});
