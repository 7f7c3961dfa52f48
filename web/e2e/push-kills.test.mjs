// The server is killed again and again, at every step of the way of a push: none is lost, none that was shown comes again,
// and none comes after its time.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { Axiam, sleep } from './support/axiam.mjs';
import { data } from './support/http.mjs';
import { people } from './support/photos.mjs';
import { PushService } from './support/push-catcher.mjs';

const [owner] = people();
const KILLS = Number(process.env.AXIAM_TEST_KILLS ?? 100);
/** Of these, those after which the server comes back when all is over. */
const LATE_KILLS = Math.ceil(KILLS / 10);
const PATIENCE = 60_000;

let axiam, site, service, phone;
let killed = 0;

async function kill() {
  await axiam.halt('SIGKILL');
  killed++;
}

/** Statements for the database, from beside the server; what the last one gives. */
function sql(...statements) {
  const run = 'import json, sqlite3, sys; db = sqlite3.connect(sys.argv[1], timeout=30); '
    + 'rows = [db.execute(text).fetchall() for text in sys.argv[2:]]; db.commit(); print(json.dumps(rows[-1]))';
  return JSON.parse(execFileSync('python3', ['-c', run, path.join(axiam.dataDir, 'axiam.db'), ...statements], { encoding: 'utf8' }));
}

/**
 * Kills the server as the push service has taken a message, before it writes what that changes: the database refuses this
 * one statement, so that what is on the disk is what a server leaves that was killed just then.
 */
async function killBefore(statement, push) {
  sql(`create trigger stop before update on ${statement} begin select raise(abort, 'stopped by the test'); end`);
  const told = axiam.log.length;
  await push();
  await until(() => axiam.log.slice(told).includes('stopped by the test'), 'the server takes no notice');
  await kill();
  sql('drop trigger stop');
}

async function until(is, complaint) {
  const deadline = Date.now() + PATIENCE;
  while (!await is()) {
    assert.ok(Date.now() < deadline, typeof complaint === 'function' ? complaint() : complaint);
    await sleep(50);
  }
}

/** Where the server is when it is killed. */
const STEPS = {
  /** It has just answered the site; the push may be written, taken, or on its way. */
  asked: async (push) => {
    await push();
    await kill();
  },
  /** A moment later, whatever it does then. */
  later: async (push) => {
    await push();
    await sleep(Math.random() * 40);
    await kill();
  },
  /** It has taken the push for its own and connects to the push service, which has read nothing. */
  leased: async (push) => {
    const connected = service.shut();
    await push();
    await connected;
    await kill();
    service.usual();
  },
  /** The push service has the message, which comes to nobody yet, and has not answered. */
  posting: async (push) => {
    const reached = service.hold();
    await push();
    await reached;
    await kill();
    service.usual();
  },
  /** The same, and the phone has shown it. */
  shown: async (push) => {
    const reached = service.hold();
    await push();
    const id = await reached;
    service.deliver(id);
    data(await phone.post('/login/shown', { sign_on_id: id }));
    service.over.add(id);
    await kill();
    service.usual();
  },
  /** The push service has just taken the message. */
  taken: async (push) => {
    const taken = service.once((response) => response.writeHead(201).end());
    await push();
    await taken;
    await kill();
  },
  /** The push service has taken the message, and the server has heard that and noted nothing. */
  heard: (push) => killBefore('pushes when new.sent_at is not null', push),
  /** It has noted that, and has not finished. */
  noted: async (push) => {
    await killBefore("outbox when new.state = 'delivered'", push);
    for (const id of await sentIds()) service.over.add(id);
  },
  /** The push service has just said not now. */
  refused: async (push) => {
    const refused = service.once((response) => response.writeHead(503).end());
    await push();
    await refused;
    await kill();
  },
};

before(async () => {
  axiam = await Axiam.start({ settings: { AXIAM_OUTGOING_ALLOW: '127.0.0.0/8', AXIAM_OUTGOING_TIMEOUT: '5' } });
  site = await axiam.createSite('https://shop.example');
  await site.authenticate();
  service = await PushService.open(() => killed);
});
after(async () => {
  service?.close();
  await axiam?.stop();
});

async function phoneOf(email) {
  const person = await site.person(email, { photos: [owner.photo(0)] });
  data(await person.phone.post('/device/push', { push: { kind: 'web_push', subscription: service.subscription } }));
  phone = person.phone;
  return person;
}

const listed = async (...more) => JSON.parse(await axiam.must('push', 'list', site.id, '--json', '--last', '1000', ...more));
const sentIds = async () => (await listed()).filter((push) => push.sent_at).map((push) => push.sign_on_id);
const underWay = () => sql("select count(*) from outbox where state = 'waiting'")[0][0];

test(`of pushes under way in ${KILLS - LATE_KILLS} kills every one arrives, and what was shown comes no more`, { timeout: 900_000 }, async () => {
  const { id } = await phoneOf('ann@shop.example');
  const steps = Object.values(STEPS);
  let asked = 0;
  for (let round = 0; round < KILLS - LATE_KILLS; round++) {
    await steps[round % steps.length](async () => {
      await site.push(id);
      asked++;
    });
    await axiam.again();
  }
  service.usual();
  const pushes = await listed();
  assert.equal(pushes.length, asked);
  const missing = () => pushes.filter((push) => !service.came.has(push.sign_on_id)).length;
  await until(() => !missing(), () => `of ${asked} ${missing()} never came`);
  // What arrived is known to have, and nothing is to come any more.
  await until(() => underWay() === 0, 'something is still under way');
  assert.ok((await listed()).every((push) => push.sent_at ?? push.shown_at));
  assert.deepEqual(await listed('--failed'), []);
  assert.deepEqual(service.again, [], 'these were shown, or noted to have arrived, and came again');
  // One more comes only where the server died before it could know of the one before.
  for (const [id, times] of service.came) assert.equal(new Set(times.map(({ life }) => life)).size, times.length, id);
  const counts = [...service.came.values()].map((each) => each.length);
  console.log(`# ${asked} pushes, ${killed} kills: ${counts.filter((count) => count > 1).length} came more than once, at most ${Math.max(...counts)} times`);
});

test(`what was under way in ${LATE_KILLS} kills is dropped once its time is over, and told`, { timeout: 300_000 }, async () => {
  const { id } = await phoneOf('bob@shop.example');
  // Of use for seconds alone: they are over before it serves again.
  const life = 3;
  await axiam.halt('SIGTERM');
  axiam.environment.AXIAM_SIGN_ON_LIFETIME = String(life);
  await axiam.again();
  const earlier = new Set((await listed()).map((push) => push.sign_on_id));
  const own = async (...more) => (await listed(...more)).filter((push) => !earlier.has(push.sign_on_id));
  const steps = ['asked', 'leased', 'posting', 'shown', 'refused'];
  for (let round = 0; round < LATE_KILLS; round++) {
    await STEPS[steps[round % steps.length]](() => site.push(id));
    if (round + 1 < LATE_KILLS) await axiam.again();
  }
  await sleep((life + 0.5) * 1000);
  service.usual();
  const before = service.messages;
  await axiam.again();
  await until(() => underWay() === 0, 'something is still under way');
  const pushes = await own();
  // A push that goes now would have gone after them.
  axiam.environment.AXIAM_SIGN_ON_LIFETIME = '600';
  await axiam.halt('SIGTERM');
  await axiam.again();
  await site.push(id);
  await until(() => service.messages > before, 'the next push does not come');
  assert.equal(service.messages, before + 1);
  for (const push of pushes) {
    const over = Date.parse(push.created_at) + life * 1000;
    // What was on its way is read here a moment later.
    for (const { at } of service.came.get(push.sign_on_id) ?? []) assert.ok(at < over + 500, `${at - over} ms after its time`);
  }
  // Whoever looks sees what came to nobody, and why: at least what was on its way when the server died, which nobody takes
  // up before its lease ends.
  const failed = await own('--failed');
  const lost = pushes.filter((push) => !push.sent_at && !push.shown_at).map((push) => push.sign_on_id);
  assert.ok(lost.length >= 2 * Math.floor(LATE_KILLS / steps.length), `${lost.length}`);
  assert.deepEqual(failed.map((push) => push.sign_on_id).sort(), lost.sort());
  for (const { said } of failed) assert.match(said, /its time was over|503|no answer in time/);
  assert.deepEqual(service.again, []);
});
