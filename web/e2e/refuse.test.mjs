// Journey 5: every refusal has its own clear answer, and nothing works twice.

import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { after, before, describe, test } from 'node:test';

import { Axiam, sleep } from './support/axiam.mjs';
import { data, failure } from './support/http.mjs';
import { Page } from './support/page.mjs';
import { frames, Phone } from './support/phone.mjs';
import { people } from './support/photos.mjs';

const LOGIN = 'FacialSignOnLoginChannel';
const DEVICE = 'FacialSignOnDeviceChannel';
const [owner, stranger] = people();

let axiam, site, otherSite;
before(async () => {
  axiam = await Axiam.start();
  site = await axiam.createSite('https://shop.example');
  otherSite = await axiam.createSite('https://other.example');
  await site.authenticate();
  await otherSite.authenticate();
});
after(() => axiam?.stop());

describe('on the phone', () => {
  test('"this was not me" ends the sign-on for everyone', async () => {
    const person = await site.person('deny@shop.example', { photos: [owner.photo(0)] });
    const { verification_token } = await site.push(person.id, { address: '192.0.2.7' });
    const page = new Page(axiam, { token: site.pageToken });
    const verdict = await page.listen(LOGIN, { verification_token });
    const [{ sign_on_id }] = await person.phone.pending();
    data(await person.phone.deny(sign_on_id));
    await verdict.hears('denied');
    assert.deepEqual(await person.phone.pending(), []);
    failure(await person.phone.deny(sign_on_id), 1031);
    failure(await person.phone.post('/login/challenge', { sign_on_id }), 1031);
    assert.equal(data(await site.status(verification_token)).status, 'denied');
    page.close();
  });

  test('a report freezes further pushes from that origin', async () => {
    const person = await site.person('report@shop.example', { photos: [owner.photo(0)] });
    const address = '198.51.100.9';
    await site.push(person.id, { address });
    const [{ sign_on_id }] = await person.phone.pending();
    data(await person.phone.deny(sign_on_id, true));
    const again = await site.post('/login/push_notification', { id: person.id }, { headers: { 'x-forwarded-for': address } });
    assert.ok(again.status === 403 || again.status === 429, `${again.status} ${again.text}`);
    failure(again, 1016, 1022, 1023, 1026);
    await site.push(person.id, { address: '203.0.113.80' });
  });

  test('a used sign-on, a stranger’s sign-on and an invented one', async () => {
    const person = await site.person('used@shop.example', { photos: [owner.photo(0)] });
    const neighbour = await site.person('neighbour@shop.example');
    await site.push(person.id);
    const [{ sign_on_id }] = await person.phone.pending();
    failure(await neighbour.phone.post('/login/challenge', { sign_on_id }), 1032);
    failure(await neighbour.phone.deny(sign_on_id), 1032);
    failure(await person.phone.post('/login/challenge', { sign_on_id: crypto.randomUUID() }), 1032);
    const challenge = await person.phone.challenge(sign_on_id);
    const answer = { sign_on_id, nonce: challenge.nonce };
    failure(await neighbour.phone.verify(answer, [owner.photo(0)]), 1032);
    data(await person.phone.verify(answer, [owner.photo(0)]));
    failure(await person.phone.verify(answer, [owner.photo(0)]), 1031);
    failure(await person.phone.post('/login/challenge', { sign_on_id }), 1031);
  });

  test('a wrong, an old and another sign-on’s nonce', async () => {
    const person = await site.person('nonce@shop.example', { photos: [owner.photo(0)] });
    await site.push(person.id);
    const [{ sign_on_id }] = await person.phone.pending();
    const photos = [owner.photo(0)];
    const invented = crypto.randomBytes(24).toString('base64url');
    failure(await person.phone.verify({ sign_on_id, nonce: invented }, photos), 1006);
    const first = await person.phone.challenge(sign_on_id);
    const second = await person.phone.challenge(sign_on_id);
    assert.equal(first.nonce, second.nonce, 'one challenge a try');
    const enrolment = await person.phone.enrolmentChallenge();
    failure(await person.phone.verify({ sign_on_id, nonce: enrolment.nonce }, photos), 1006);
    data(await person.phone.verify({ sign_on_id, nonce: (await person.phone.challenge(sign_on_id)).nonce }, photos));
  });

  test('five wrong faces lock the account, and the answer names the minutes', async () => {
    const person = await site.person('locked@shop.example', { photos: [owner.photo(0)] });
    await site.push(person.id);
    for (let tries = 0; tries < 3; tries++) failure(await person.phone.scan([stranger.photo(0)]), 1036);
    await site.push(person.id);
    failure(await person.phone.scan([stranger.photo(0)]), 1036);
    failure(await person.phone.scan([stranger.photo(0)]), 1036, 1016);
    const locked = failure(await site.post('/login/push_notification', { id: person.id }), 1016);
    assert.match(`${locked.message} ${locked.user_message}`, /\b1[45] minutes\b/);
  });

  test('unusable photos are not tries', async () => {
    const person = await site.person('unusable@shop.example', { photos: [owner.photo(0)] });
    await site.push(person.id);
    for (let tries = 0; tries < 4; tries++) failure(await person.phone.scan([Buffer.from('no photo')]), 1038);
    const refused = failure(await person.phone.scan([stranger.photo(0)]), 1036);
    assert.equal(refused.details.attempts_left, 2);
    data(await person.phone.scan([owner.photo(0)]));
  });

  test('no face, no phone, no such client', async () => {
    const bare = await site.createClient('bare@shop.example');
    failure(await site.post('/login/push_notification', { id: bare }), 1008, 1012);
    const paired = await site.person('paired@shop.example');
    failure(await site.post('/login/push_notification', { id: paired.id }), 1008);
    failure(await site.post('/login/push_notification', { id: crypto.randomUUID() }), 1007);
    failure(await site.post('/client/send_push', { email: 'nobody@shop.example' }), 1007);
    failure(await site.post('/login/lookup_client', { email: 'nobody@shop.example' }), 1007);
    assert.equal(data(await site.post('/client/create', { email: 'Bare@Shop.example', full_name: 'Twice' })).client_id, bare);
    failure(await site.post('/client/create', { email: 'Paired@Shop.example', full_name: 'Twice' }), 1009);
  });
});

describe('the device proof', () => {
  let phone;
  before(async () => {
    ({ phone } = await site.person('proof@shop.example'));
  });
  const now = () => Math.floor(Date.now() / 1000);
  const post = (more) => phone.post('/device/challenge', {}, more);

  test('counts once', async () => {
    const proof = phone.proof({ method: 'GET', url: `${phone.root}/login/pending` });
    data(await phone.send('GET', '/login/pending', { proof }));
    failure(await phone.send('GET', '/login/pending', { proof }), 1050);
  });

  test('counts once among many at the same time', async () => {
    const proof = phone.proof({ method: 'GET', url: `${phone.root}/login/pending` });
    const replies = await Promise.all(Array.from({ length: 8 }, () => phone.send('GET', '/login/pending', { proof })));
    assert.equal(replies.filter((reply) => reply.status === 200).length, 1);
    replies.filter((reply) => reply.status !== 200).forEach((reply) => failure(reply, 1050));
  });

  const other = new Phone('http://unused', '');
  const wrong = {
    'is missing': { proof: null },
    'is no JWT': { proof: 'nonsense' },
    'is three dots': { proof: '...' },
    'is for another method': { proof: { claims: { htm: 'GET' } } },
    'is for another route': { proof: { claims: { htu: 'http://127.0.0.1/elsewhere' } } },
    'has no address': { proof: { claims: { htu: undefined } } },
    'is two minutes old': { proof: { claims: { iat: now() - 120 } } },
    'is from the future': { proof: { claims: { iat: now() + 300 } } },
    'has no time': { proof: { claims: { iat: undefined } } },
    'has no jti': { proof: { claims: { jti: undefined } } },
    'has an endless jti': { proof: { claims: { jti: 'x'.repeat(100_000) } } },
    'has no ath': { proof: { claims: { ath: undefined } } },
    'has another token’s ath': { proof: { claims: { ath: 'AAAA' } } },
    'has no digest': { proof: { claims: { digest: undefined } } },
    'has another body’s digest': { proof: { claims: { digest: 'sha-256=:AAAA:' } } },
    'is signed by another key': { proof: { key: other.key.privateKey } },
    'brings another key': { proof: { key: other.key.privateKey, header: { jwk: other.key.publicKey.export({ format: 'jwk' }) } } },
    'says alg none': { proof: { header: { alg: 'none' } } },
    'says alg HS256': { proof: { header: { alg: 'HS256' } } },
    'says another typ': { proof: { header: { typ: 'JWT' } } },
    'holds a private key': { proof: { header: { jwk: other.key.privateKey.export({ format: 'jwk' }) }, key: other.key.privateKey } },
    'comes without Content-Digest': { headers: { 'content-digest': undefined } },
    'comes with another body’s Content-Digest': { headers: { 'content-digest': 'sha-256=:AAAA:' } },
    'comes with an invented device token': { token: 'invented' },
    'comes without a device token': { token: null },
    'comes with the token as a bearer': { headers: { authorization: 'Bearer x' } },
  };
  for (const [name, more] of Object.entries(wrong)) {
    test(`refused when it ${name}`, async () => {
      failure(await post(more), 1050);
    });
  }

  test('covers the body that was sent', async () => {
    const { phone: mine, id } = await site.person('body@shop.example', { photos: [owner.photo(0)] });
    await site.push(id);
    const [{ sign_on_id }] = await mine.pending();
    const honest = JSON.stringify({ sign_on_id });
    const url = `${mine.root}/login/challenge`;
    const proof = mine.proof({ method: 'POST', url, body: honest });
    const swapped = JSON.stringify({ sign_on_id, more: 1 });
    failure(await mine.send('POST', '/login/challenge', { body: swapped, type: 'application/json', proof }), 1050);
  });

  test('of one phone is nothing to another phone’s token', async () => {
    const { phone: neighbour } = await site.person('neighbour2@shop.example');
    failure(await neighbour.send('GET', '/login/pending', { token: phone.token }), 1050);
    data(await neighbour.send('GET', '/login/pending'));
  });

  test('is asked of a phone that registers, too', async () => {
    const id = await site.createClient('register@shop.example');
    const fresh = await Phone.fromLink((await site.qrcode(id)).enrollment_url);
    const wish = { enrollment_token: fresh.enrollmentToken, name: 'Phone', platform: 'ios', push: { kind: 'none' } };
    failure(await fresh.post('/device/register', wish, { proof: null }), 1050);
    failure(await fresh.post('/device/register', wish, { proof: { claims: { digest: undefined } } }), 1050);
    failure(await fresh.post('/device/register', wish, { proof: { key: other.key.privateKey } }), 1050);
    // None of this used the link up.
    data(await fresh.register());
  });
});

describe('on the cable', () => {
  let page;
  before(() => { page = new Page(axiam, { token: site.pageToken }); });
  after(() => page.close());

  const rejected = async (subscription, why) => assert.equal(await subscription.outcome, 'rejected', why);

  test('unknown and missing verification tokens are rejected', async () => {
    await rejected(page.subscribe(LOGIN, { verification_token: crypto.randomBytes(32).toString('base64url') }), 'unknown');
    await rejected(page.subscribe(LOGIN, { verification_token: 'x'.repeat(10_000) }), 'endless');
    await rejected(page.subscribe(LOGIN, { verification_token: 42 }), 'a number');
    await rejected(page.subscribe(LOGIN), 'missing');
    await rejected(page.subscribe('NoSuchChannel'), 'no such channel');
  });

  test('the device channel needs a token of the client’s own site', async () => {
    const id = await site.createClient('events@shop.example');
    const strangers = [
      new Page(axiam),
      new Page(axiam, { query: `channel_prefix=${site.keys.channel_prefix}` }),
      new Page(axiam, { token: otherSite.pageToken }),
    ];
    for (const one of strangers) {
      await rejected(one.subscribe(DEVICE, { client_id: id }));
      one.close();
    }
    await rejected(page.subscribe(DEVICE, { client_id: crypto.randomUUID() }), 'unknown client');
    await rejected(page.subscribe(DEVICE), 'missing');
    await page.listen(DEVICE, { client_id: id });
  });

  test('another site’s page cannot listen to a sign-on', async () => {
    const person = await site.person('foreign@shop.example', { photos: [owner.photo(0)] });
    const { verification_token } = await site.push(person.id);
    const foreign = new Page(axiam, { token: otherSite.pageToken });
    await rejected(foreign.subscribe(LOGIN, { verification_token }));
    foreign.close();
  });

  test('one bad subscription leaves the others alone', async () => {
    const person = await site.person('mixed@shop.example', { photos: [owner.photo(0)] });
    const { verification_token } = await site.push(person.id);
    const verdict = await page.listen(LOGIN, { verification_token });
    await rejected(page.subscribe(LOGIN, { verification_token: 'unknown' }));
    data(await person.phone.scan([owner.photo(0)]));
    await verdict.hears('verified');
  });
});

describe('time', () => {
  // From the outside there is no clock to turn: these lives are one second long.
  let brief, briefSite, person;
  before(async () => {
    brief = await Axiam.start({ settings: { AXIAM_SIGN_ON_LIFETIME: '1', AXIAM_SIGN_ON_SESSION_LIFETIME: '1', AXIAM_TOKEN_SITE_LIFETIME: '3600' } });
    briefSite = await brief.createSite('https://brief.example');
    await briefSite.authenticate();
    person = await briefSite.person('late@brief.example', { photos: [owner.photo(0)] });
  });
  after(() => brief?.stop());

  test('an expired sign-on is told to the page, the phone and a late page', async () => {
    const page = new Page(brief, { token: briefSite.pageToken });
    const { verification_token } = await briefSite.push(person.id);
    const verdict = await page.listen(LOGIN, { verification_token });
    const [{ sign_on_id }] = await person.phone.pending();
    await verdict.hears('expired');
    assert.deepEqual(await person.phone.pending(), []);
    failure(await person.phone.post('/login/challenge', { sign_on_id }), 1030);
    failure(await person.phone.deny(sign_on_id), 1030);
    assert.equal(data(await briefSite.status(verification_token)).status, 'expired');
    assert.equal(await page.subscribe(LOGIN, { token: verification_token }).outcome, 'rejected');
    page.close();
  });

  test('a token that asks for one second is expired after it', async () => {
    await briefSite.authenticate({ expires_in: 1 });
    await sleep(2_100);
    failure(await briefSite.post('/login/lookup_client', { email: 'late@brief.example' }), 1004);
    await briefSite.authenticate();
  });
});

describe('limits as they come', () => {
  let strict, strictSite;
  before(async () => {
    strict = await Axiam.start({ strict: true });
    strictSite = await strict.createSite('https://strict.example');
    await strictSite.authenticate();
  });
  after(() => strict?.stop());

  test('five pushes for each client, ten for each address, in five minutes', async () => {
    const one = await strictSite.person('one@strict.example', { photos: [owner.photo(0)] });
    for (let n = 0; n < 5; n++) await strictSite.push(one.id, { address: `192.0.2.${n}` });
    failure(await strictSite.post('/login/push_notification', { id: one.id }, { headers: { 'x-forwarded-for': '192.0.2.99' } }), 1023);

    const many = [];
    for (let n = 0; n < 3; n++) many.push(await strictSite.person(`many${n}@strict.example`, { photos: [owner.photo(0)] }));
    const address = '203.0.113.5';
    for (let n = 0; n < 10; n++) await strictSite.push(many[n % 3].id, { address });
    failure(await strictSite.post('/login/push_notification', { id: many[1].id }, { headers: { 'x-forwarded-for': address } }), 1022);
  });

  test('five scans for each sign-on', async () => {
    const person = await strictSite.person('scans@strict.example', { photos: [owner.photo(0)] });
    await strictSite.push(person.id, { address: '192.0.2.200' });
    for (let n = 0; n < 5; n++) failure(await person.phone.scan([Buffer.from('no photo')]), 1038);
    failure(await person.phone.scan([owner.photo(0)]), 1025);
  });
});

test('a scan cannot be used for two sign-ons, nor a frame that is not there', async () => {
  const person = await site.person('frames@shop.example', { photos: [owner.photo(0)] });
  await site.push(person.id);
  const [{ sign_on_id }] = await person.phone.pending();
  const challenge = await person.phone.challenge(sign_on_id);
  const parts = frames({ sign_on_id, nonce: challenge.nonce }, [owner.photo(0)]);
  parts.answer.bytes = JSON.stringify({ sign_on_id, nonce: challenge.nonce, frames: [{ part: 'frame7', t_ms: 0 }] });
  failure(await person.phone.send('POST', '/login/verify_token', { parts }), 1006);
});
