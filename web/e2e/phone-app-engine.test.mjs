// The phone app with its own engine: it waits until a face is there and a step is done, and the server then agrees.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';

import { act } from './support/acting.mjs';
import { REPOSITORY } from './support/axiam.mjs';
import { PhoneWorld } from './support/phone-world.mjs';
import { people } from './support/photos.mjs';
import { missing, people as recorded } from './support/recordings.mjs';

const hasEngine = fs.readdirSync(path.join(REPOSITORY, 'web/build')).some((name) => /^engine\..*\.wasm$/.test(name));
const NO_ENGINE = hasEngine ? false : 'the phone’s engine was not built (no wasm32-unknown-unknown)';
/** Answers of each recorded person. It is a measurement, which a few answers would only pretend to be: ANSWERS=12 makes it. */
const ANSWERS = Number(process.env.ANSWERS ?? 0);
/** Part of the honest answers that may be refused: the aim of docs/liveness.md. */
const MOST_REFUSED = 0.05;

/** What the app calls a thing that somebody cannot do. */
const MOVEMENTS = {
  turn_left: 'Turn my head to the left', turn_right: 'Turn my head to the right', look_up: 'Raise my chin',
  blink: 'Close my eyes', open_mouth: 'Open my mouth', come_closer: 'Bring the phone nearer',
};

const [owner] = people();
let world;
before(async () => { world = await PhoneWorld.open(); });
after(() => world?.close());
afterEach(() => world.putAway());

/** Goes on to the scan with a fresh client. */
async function consented(email, options) {
  const { link } = await world.link(email, options?.site);
  const app = await world.phone();
  await options?.prepare?.(app);
  await app.follow(link);
  await app.pair();
  await app.press('Set up your face');
  await app.shows('consent');
  return app;
}

// Runs in the page: how often the engine was asked in the middle second of the scan.
function countLooks() {
  const at = [];
  const { postMessage } = Worker.prototype;
  Worker.prototype.postMessage = function note(asked, ...more) {
    if (asked?.kind === 'look') at.push(performance.now());
    return postMessage.call(this, asked, ...more);
  };
  globalThis.looks = () => at.filter((one) => Math.abs(one - at[Math.floor(at.length / 2)]) < 500).length;
}

const isSeen = (app) => app.page.locator('.stage').getAttribute('data-seen');

describe('guided by what it sees', () => {
  test('a face that is too far away is asked to come nearer, and photographed when it is there', { skip: NO_ENGINE }, async () => {
    const far = await world.camera.draw(world.browser, owner.photo(0), { zoom: 0.4 });
    const near = await world.camera.draw(world.browser, owner.photo(0));
    world.camera.roll([...far, ...far, ...near, ...near]);
    const app = await consented('far@shop.example', { prepare: ({ page }) => page.addInitScript(countLooks) });
    await app.press('I agree, scan my face');
    await app.shows('capture');
    await app.says('Bring the phone nearer.');
    assert.equal(await isSeen(app), 'true');
    await app.shows('enrolled', 40_000);
    assert.deepEqual(app.complaints, []);
    // A person's movement is seen from ten a second on; how many there are is the machine's affair, and what else it does.
    console.log(`      ${await app.page.evaluate(() => globalThis.looks())} looks a second`);
  });

  test('what it sees goes nowhere: while it looks, nothing but its own files is asked for', { skip: NO_ENGINE }, async () => {
    await world.camera.show(world.browser, owner.photo(0), { zoom: 0.4 });
    const app = await consented('private@shop.example');
    await app.page.waitForLoadState('networkidle');
    const asked = [];
    app.page.on('request', (request) => asked.push(new URL(request.url()).pathname));
    await app.press('I agree, scan my face');
    await app.says('Bring the phone nearer.');
    assert.deepEqual(asked.filter((one) => !/engine|\/device\/challenge|\/cable/.test(one)), []);
    await app.press('Cancel');
  });

  test('without its engine the app guides by brightness and sharpness', async () => {
    await world.camera.show(world.browser, owner.photo(0));
    const app = await consented('without@shop.example', {
      prepare: ({ context }) => context.route(/engine\.[0-9a-f]+\.wasm/, (route) => route.fulfill({ status: 404 })),
    });
    await app.press('I agree, scan my face');
    await app.shows('capture');
    await app.page.locator('.stage[data-seen="false"]').waitFor();
    await app.shows('enrolled', 40_000);
  });
});

const NOT_MEASURED = ANSWERS > 0 ? false : 'a measurement: ANSWERS=12 makes it';
describe('people who do what is asked', { skip: missing() ?? (NO_ENGINE || NOT_MEASURED) }, () => {
  test('pass active liveness through the app', async (t) => {
    const strict = await world.axiam.createSite('https://active.example');
    await world.axiam.must('site', 'set', strict.id, 'liveness=active');
    await strict.authenticate();
    const told = [];
    for (const { name, without, clip } of await recorded(world.axiam)) {
      for (let n = 0; n < ANSWERS; n++) {
        const outcome = await answer(strict, `${name}${n}@shop.example`, without, clip);
        told.push({ name, outcome });
        t.diagnostic(`${name}: ${outcome}`);
        await world.putAway();
      }
    }
    const passed = told.filter(({ outcome }) => outcome === 'enrolled').length;
    t.diagnostic(`${passed} of ${told.length} honest answers passed`);
    assert.ok(told.length - passed <= MOST_REFUSED * told.length, told.map(({ name, outcome }) => `${name}: ${outcome}`).join('; '));
  });
});

/** One enrolment before the camera, by somebody who does what the challenge asks for: "enrolled", or what the app says instead. */
async function answer(site, email, without, clip) {
  const { link } = await world.link(email, site);
  const app = await world.phone();
  await act(app.page, clip);
  await app.follow(link);
  await app.shows('pair');
  if (without.length) await app.page.locator('summary').click();
  for (const action of without) await app.page.getByLabel(MOVEMENTS[action]).check();
  await app.press('Pair this phone');
  await app.shows('paired');
  await app.press('Set up your face');
  await app.shows('consent');
  await app.press('I agree, scan my face');
  await app.page.locator('#app:is([data-screen="enrolled"], [data-screen="failed"])').waitFor({ state: 'attached', timeout: 90_000 });
  return await app.screen() === 'enrolled' ? 'enrolled' : app.page.locator('#app main').innerText();
}
