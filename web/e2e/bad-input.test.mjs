// Bad input on every route of the journeys: each answer is in the envelope, with its code, and nothing
// of it is the server's fault. Afterwards the log is searched for secrets, and everything that the program
// wrote for faces.

import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';

import { Axiam, beside } from './support/axiam.mjs';
import { data, failure, request } from './support/http.mjs';
import { everything, holdingPhoto, holdingTemplate, templates } from './support/leaks.mjs';
import { frames, Phone } from './support/phone.mjs';
import { greyPng, groupPhoto, people } from './support/photos.mjs';

const [owner, stranger] = people();
const secrets = new Map();
const keep = (name, secret) => { secrets.set(name, secret); return secret; };

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'axiam-scratch-'));
let axiam, site, otherSite, widget, person, foreigner, fresh, signOn, verification;

before(async () => {
  axiam = await Axiam.start({ settings: { AXIAM_LOG_LEVEL: 'trace', TMPDIR: scratch } });
  site = await axiam.createSite('https://shop.example');
  otherSite = await axiam.createSite('https://other.example');
  keep('secret key', site.keys.secret_key);
  keep('site token', await site.authenticate());
  await otherSite.authenticate();
  widget = keep('widget token', await site.widgetToken());
  person = await site.person('ada@shop.example', { photos: [owner.photo(0)] });
  foreigner = await otherSite.person('eve@other.example', { photos: [stranger.photo(0)] });
  keep('device token', person.phone.token);
  keep('used enrolment token', person.phone.enrollmentToken);
  fresh = await Phone.fromLink((await site.qrcode(await site.createClient('fresh@shop.example'))).enrollment_url);
  keep('enrolment token', fresh.enrollmentToken);
  verification = keep('verification token', (await site.push(person.id)).verification_token);
  signOn = (await person.phone.pending())[0].sign_on_id;
});
after(async () => {
  await axiam?.stop();
  fs.rmSync(scratch, { recursive: true, force: true });
});

// Every route with a JSON body: who calls it, a good body, which fields it cannot do without, and the
// codes besides 1006 with which a value of the right type may be refused.
const JSON_ROUTES = [
  { route: '/application_auth', by: 'anyone', good: () => site.keysForAuth, required: ['api_key', 'secret_key'], unknown: [1001, 1002] },
  { route: '/client/create', by: 'site', good: () => ({ email: `${crypto.randomUUID()}@shop.example`, full_name: 'A Person' }), required: ['email'] },
  { route: '/client/delete', by: 'site', good: () => ({ id: crypto.randomUUID() }), required: ['id'], unknown: [1007], fails: 1007 },
  { route: '/client/unlock', by: 'site', good: () => ({ id: person.id }), required: ['id'], unknown: [1007] },
  { route: '/client/qrcode', by: 'site', good: () => ({ id: person.id, flow_type: 'login' }), required: ['id'], unknown: [1007] },
  { route: '/client/send_push', by: 'site', good: () => ({ email: person.email }), required: ['email'], unknown: [1007] },
  { route: '/login/lookup_client', by: 'site', good: () => ({ email: person.email }), required: ['email'], unknown: [1007] },
  { route: '/login/push_notification', by: 'site', good: () => ({ id: person.id }), required: ['id'], unknown: [1007] },
  { route: '/login/validate_session', by: 'site', good: () => ({ client_session_token: 'unknown', client_id: person.id }), required: ['client_session_token', 'client_id'], unknown: [1040, 1007], fails: 1040 },
  { route: '/device/register', by: 'fresh', good: () => ({ enrollment_token: 'unknown', name: 'Phone', platform: 'ios', push: { kind: 'none' } }), required: ['enrollment_token', 'platform', 'push'], unknown: [1051], fails: 1051 },
  { route: '/device/challenge', by: 'phone', good: () => ({}), required: [] },
  { route: '/login/challenge', by: 'phone', good: () => ({ sign_on_id: signOn }), required: ['sign_on_id'], unknown: [1032] },
  { route: '/login/deny', by: 'phone', good: () => ({ sign_on_id: crypto.randomUUID(), report: false }), required: ['sign_on_id'], unknown: [1032], fails: 1032 },
];

function caller(by) {
  if (by === 'phone') return person.phone;
  if (by === 'fresh') return fresh;
  if (by === 'anyone') return { send: (method, route, more) => site.send(method, route, { ...more, token: null }) };
  return site;
}

/** What a body of the wrong kind is called, and what it is. */
const WRONG_TYPES = { 'a number': 42, 'an object': { a: 1 }, 'a list': ['x'], 'true': true, 'null': null };

for (const { route, by, good, required, unknown = [], fails } of JSON_ROUTES) {
  describe(`POST ${route}`, () => {
    const post = (body, type = 'application/json') => caller(by).send('POST', route, { body, type });
    const postJson = (value) => post(JSON.stringify(value));

    before(() => {
      const { api_key, secret_key, domain } = site.keys;
      site.keysForAuth = { api_key, secret_key, domain };
    });

    test('a good body is understood', async () => {
      const reply = await postJson(good());
      if (fails) failure(reply, fails);
      else data(reply);
    });

    test('no JSON, half JSON, and JSON that is no object', async () => {
      for (const body of ['', '{', '{"a":', 'nonsense', '[]', '"text"', '42', 'null', '\u0000', '{}{}', '[[[['.repeat(5_000)]) {
        // A route that needs nothing may take an empty body for an empty object.
        const reply = await post(body);
        if (required.length || reply.status !== 200) failure(reply, 1006);
      }
      if (required.length) failure(await post(Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d])), 1006);
    });

    test('a body that is no JSON and says so', async () => {
      if (!required.length) return;
      // Whatever it calls itself: `curl -d` calls everything a form.
      failure(await post('a=1&b=2', 'application/x-www-form-urlencoded'), 1006);
      failure(await post('<a/>', 'text/xml'), 1006);
    });

    test('a huge body', async () => {
      const body = JSON.stringify({ ...good(), filler: 'x'.repeat(40 * 1024 * 1024) });
      const reply = await caller(by).send('POST', route, { body, type: 'application/json', careful: true });
      assert.equal(reply.status, 413, reply.text);
      failure(reply, 1006, 1039);
    });

    test('other methods', async () => {
      for (const method of ['GET', 'PUT', 'DELETE', 'PATCH', 'PROPFIND']) {
        const reply = await caller(by).send(method, route, {});
        assert.equal(reply.status, 405, `${method} ${route}: ${reply.status} ${reply.text}`);
        failure(reply, 1006);
      }
    });

    for (const field of required) {
      test(`${field}: missing, of a wrong type, empty, huge, odd`, async () => {
        const { [field]: _, ...without } = good();
        const missing = failure(await postJson(without), 1006);
        assert.equal(missing.details?.field, field, `details.field of ${JSON.stringify(missing)}`);
        assert.ok(missing.details.reason.length > 0);
        for (const [name, value] of Object.entries(WRONG_TYPES)) {
          if (field === 'push' && name === 'an object') continue;
          const reply = await postJson({ ...good(), [field]: value });
          // A client's id that is a number is nobody's, like one of any other form.
          if (field === 'id' && reply.json?.code === 1007) continue;
          const wrong = failure(reply, 1006);
          // A list or an object may be refused further inside.
          assert.ok(wrong.details?.field?.startsWith(field), `${field} as ${name}: ${JSON.stringify(wrong)}`);
        }
        if (field === 'push') return;
        for (const value of ['', ' ', 'x'.repeat(300_000), '\u0000', 'a\u0000b', "' OR 1=1 --", '%00', '../../etc/passwd', '\u202e', '\ud800']) {
          failure(await postJson({ ...good(), [field]: value }), 1006, ...unknown, ...(field === 'id' ? [1007] : []));
        }
      });
    }
  });
}

describe('values', () => {
  test('names may be missing, empty or odd, but no control characters and no novels', async () => {
    const create = (full_name) => site.post('/client/create', { email: `${crypto.randomUUID()}@shop.example`, full_name });
    for (const name of [undefined, null, '', ' ', "' OR 1=1 --", '%00', '\u202e']) data(await create(name));
    for (const name of ['x'.repeat(201), '\u0000', 'a\u0000b', 7, {}, []]) {
      assert.equal(failure(await create(name), 1006).details.field, 'full_name', JSON.stringify(name));
    }
  });

  test('e-mail addresses', async () => {
    for (const email of ['x', '@', 'a@', '@b.example', 'a b@c.example', 'a@b@c.example', `${'x'.repeat(300)}@b.example`, 'a@b.example\nBcc: c@d.example']) {
      failure(await site.post('/client/create', { email, full_name: 'A Person' }), 1006);
    }
  });

  test('domains', async () => {
    const { api_key, secret_key } = site.keys;
    const auth = (domain) => site.post('/application_auth', { api_key, secret_key, domain }, { token: null });
    for (const domain of ['shop.example', 'https://Shop.Example:8443/path?x#y', 'www.shop.example', 'SHOP.EXAMPLE']) data(await auth(domain));
    for (const domain of ['com', 'co.uk', 'exa mple.com', '127.0.0.1:99999', 'x'.repeat(300), 'https://', 'http://[::1']) failure(await auth(domain), 1006);
    failure(await auth('other.example'), 1002);
    data(await site.post('/application_auth', { api_key, secret_key }, { token: null }));
    const headers = { 'x-api-key': api_key, 'x-api-secret': secret_key };
    data(await site.post('/application_auth', {}, { token: null, headers }));
    data(await site.send('POST', '/application_auth', { token: null, headers }));
  });

  test('keys: wrong, swapped and another site’s give the same answer', async () => {
    const { api_key, secret_key } = site.keys;
    const replies = await Promise.all([
      { api_key, secret_key: 'wrong' },
      { api_key: 'wrong', secret_key },
      { api_key: secret_key, secret_key: api_key },
      { api_key, secret_key: otherSite.keys.secret_key },
    ].map((body) => site.post('/application_auth', body, { token: null })));
    const answers = replies.map((reply) => failure(reply, 1001)).map(({ message, user_message }) => `${message}|${user_message}`);
    assert.equal(new Set(answers).size, 1, answers.join('\n'));
  });

  test('scope and life of a token', async () => {
    const { api_key, secret_key } = site.keys;
    const auth = (more) => site.post('/application_auth', { api_key, secret_key, ...more }, { token: null });
    assert.equal(data(await auth({})).expires_in, 2592000);
    assert.equal(data(await auth({ scope: 'widget' })).expires_in, 600);
    assert.equal(data(await auth({ expires_in: 60 })).expires_in, 60);
    for (const more of [{ scope: 'root' }, { scope: 1 }, { expires_in: 0 }, { expires_in: -1 }, { expires_in: 'long' }, { expires_in: 1.5 }]) {
      failure(await auth(more), 1006);
    }
  });

  test('flow types, platforms and push addresses', async () => {
    failure(await site.post('/client/qrcode', { id: person.id, flow_type: 'other' }), 1006);
    const wish = { enrollment_token: fresh.enrollmentToken, name: 'Phone', platform: 'ios', push: { kind: 'none' } };
    for (const more of [{ platform: 'windows' }, { name: 'x'.repeat(10_000) }, { push: {} }, { push: { kind: 'pigeon' } }, { push: { kind: 'fcm' } }, { push: { kind: 'web_push' } }]) {
      failure(await fresh.post('/device/register', { ...wish, ...more }), 1006);
    }
  });

  test('a status without, with an empty and with an unknown verification token', async () => {
    failure(await site.send('GET', '/login/status'), 1006);
    failure(await site.status(''), 1006, 1032);
    failure(await site.status('unknown'), 1032);
    failure(await site.status('x'.repeat(5_000)), 1006, 1032);
    failure(await site.status('\u0000'), 1006, 1032);
  });

  test('an odd wait for pending sign-ons', async () => {
    for (const wait of ['soon', '-1', '1e9', '99999999999999999999']) {
      failure(await person.phone.send('GET', `/login/pending?wait=${wait}`), 1006);
    }
  });
});

describe('who may call', () => {
  const backend = ['/client/create', '/client/qrcode', '/client/upload_facial', '/login/push_notification', '/login/validate_session'];
  const shared = ['/client/send_push', '/login/lookup_client'];
  const body = {};

  for (const route of [...backend, ...shared]) {
    test(`POST ${route} without a good token`, async () => {
      assert.equal(failure(await site.post(route, body, { token: null }), 1003).error, 'token_missing');
      const [head, payload, signature] = site.token.split('.');
      const forged = Buffer.from(JSON.stringify({ alg: 'none' })).toString('base64url');
      const other = Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(payload, 'base64url')), sub: otherSite.id })).toString('base64url');
      for (const token of ['x', 'a.b.c', `${forged}.${payload}.`, `${head}.${other}.${signature}`, `${head}.${payload}.`, person.phone.token, 'x'.repeat(8_000)]) {
        assert.equal(failure(await site.post(route, body, { token }), 1003).error, 'token_invalid');
      }
      failure(await site.post(route, body, { token: null, headers: { authorization: 'Basic eDp5' } }), 1003);
      failure(await site.post(route, body, { token: null, headers: { authorization: 'Bearer' } }), 1003);
    });
  }

  for (const route of backend) {
    test(`POST ${route} with a token that pages can see`, async () => {
      failure(await site.post(route, body, { token: widget }), 1010);
    });
  }

  test('a taken e-mail address reveals its client to the backend only', async () => {
    const taken = failure(await site.post('/client/create', { email: person.email, full_name: 'Twice' }), 1009);
    assert.equal(taken.data?.client_id, person.id);
  });

  for (const route of ['/device/challenge', '/device/facial', '/login/challenge', '/login/verify_token', '/login/deny']) {
    test(`POST ${route} without a device`, async () => {
      failure(await person.phone.post(route, body, { proof: null, token: null }), 1050);
      failure(await person.phone.post(route, body, { proof: null }), 1050);
      failure(await site.post(route, body), 1050);
    });
  }

  test('GET /login/pending without a device', async () => {
    failure(await person.phone.send('GET', '/login/pending', { proof: null, token: null }), 1050);
    failure(await site.send('GET', '/login/pending'), 1050);
  });
});

describe('another tenant’s ids', () => {
  test('answer exactly like unknown ones', async () => {
    const nobody = crypto.randomUUID();
    for (const [route, of] of [
      ['/client/qrcode', (id) => ({ id, flow_type: 'login' })],
      ['/login/push_notification', (id) => ({ id })],
    ]) {
      const foreign = failure(await site.post(route, of(foreigner.id)), 1007);
      const unknown = failure(await site.post(route, of(nobody)), 1007);
      assert.deepEqual(foreign, unknown);
    }
    for (const route of ['/client/send_push', '/login/lookup_client']) {
      assert.deepEqual(
        failure(await site.post(route, { email: foreigner.email }), 1007),
        failure(await site.post(route, { email: 'nobody@other.example' }), 1007),
      );
    }
    failure(await otherSite.status(verification), 1032);
  });

  test('the same e-mail address is two clients on two sites', async () => {
    const id = await otherSite.createClient(person.email);
    assert.notEqual(id, person.id);
  });

  test('a phone cannot touch a sign-on of another site', async () => {
    failure(await foreigner.phone.post('/login/challenge', { sign_on_id: signOn }), 1032);
    failure(await foreigner.phone.deny(signOn, true), 1032);
    const nonce = (await foreigner.phone.enrolmentChallenge()).nonce;
    failure(await foreigner.phone.verify({ sign_on_id: signOn, nonce }, [stranger.photo(0)]), 1032);
  });
});

describe('photos and their multipart bodies', () => {
  // Each sender takes parts or a raw body, and one photo in place.
  const SENDERS = [
    {
      route: '/device/facial',
      send: (more) => person.phone.send('POST', '/device/facial', more),
      around: async (photos) => frames({ nonce: (await person.phone.enrolmentChallenge()).nonce, consent_version: person.phone.consent.version }, photos),
    },
    {
      route: '/login/verify_token',
      send: (more) => person.phone.send('POST', '/login/verify_token', more),
      around: async (photos) => frames({ sign_on_id: signOn, nonce: (await person.phone.challenge(signOn)).nonce }, photos),
    },
  ];
  const text = Buffer.from('This is a text, and not a photo of anybody.\n'.repeat(50));
  const jpeg = owner.photo(0);

  for (const { route, send, around } of SENDERS) {
    test(`POST ${route}: what is no usable photo`, async () => {
      const cases = [
        ['a text', text, 1038],
        ['nothing', Buffer.alloc(0), 1006, 1038],
        ['the start of a photo', jpeg.subarray(0, 300), 1038],
        ['noise behind a photo’s first bytes', Buffer.concat([jpeg.subarray(0, 4), crypto.randomBytes(20_000)]), 1038],
        ['a GIF', Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64'), 1038],
        ['a page', Buffer.from('<html><body><img src=x></body></html>'), 1038],
        ['a PNG that claims to be huge', greyPng(8, 8, [60_000, 60_000]), 1039],
        ['a grey wall', greyPng(640, 640), 1033, 1035],
        ['one pixel', greyPng(1, 1), 1033, 1035],
        ['several people', groupPhoto(), 1034],
      ];
      for (const [name, photo, ...codes] of cases) {
        try {
          failure(await send({ parts: await around([photo]) }), ...codes);
        } catch (error) {
          error.message = `${name}: ${error.message}`;
          throw error;
        }
      }
    });

    test(`POST ${route}: a photo of 60 MB`, async () => {
      const parts = await around([Buffer.concat([jpeg, Buffer.alloc(60 * 1024 * 1024)])]);
      const reply = await send({ parts, careful: true });
      assert.equal(reply.status, 413, reply.text);
      failure(reply, 1039);
    });

    test(`POST ${route}: broken multipart`, async () => {
      const type = 'multipart/form-data; boundary=edge';
      const part = (name, content) => `--edge\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${content}\r\n`;
      const bodies = [
        ['', type],
        ['no boundary here', type],
        ['--edge', type],
        ['--edge--\r\n', type],
        ['--edge\r\n\r\n', type],
        [part('answer', '{}'), type],
        [`${part('answer', '{')}--edge--\r\n`, type],
        [`${part('answer', '{}')}--edge--\r\n`, type],
        [`${part('answer', '[]')}--edge--\r\n`, type],
        [`${part('frame0', 'x')}--edge--\r\n`, type],
        [`--edge\r\nContent-Disposition: form-data\r\n\r\nx\r\n--edge--\r\n`, type],
        [`--edge\r\n${'X: y\r\n'.repeat(5_000)}\r\nx\r\n--edge--\r\n`, type],
        [`${part('answer', '{}')}--edge--\r\n`, 'multipart/form-data'],
        ['{}', 'application/json'],
        ['x', 'text/plain'],
      ];
      for (const [body, kind] of bodies) failure(await send({ body, type: kind }), 1006);
    });

    test(`POST ${route}: an answer and frames that do not fit`, async () => {
      const good = await around([jpeg]);
      const answer = JSON.parse(good.answer.bytes);
      const change = (more) => ({ ...good, answer: { ...good.answer, bytes: JSON.stringify({ ...answer, ...more }) } });
      const { frame0, ...noFrame } = good;
      const { answer: _, ...noAnswer } = good;
      for (const parts of [
        noFrame, noAnswer,
        change({ frames: [] }), change({ frames: 'frame0' }), change({ frames: undefined }), change({ frames: [{}] }),
        change({ frames: [{ part: 'frame1', t_ms: 0 }] }), change({ frames: [{ part: 'frame0', t_ms: 'now' }] }),
        change({ nonce: undefined }), change({ nonce: 7 }), change({ nonce: '' }), change({ nonce: '\u0000' }), change({ nonce: 'x'.repeat(100_000) }),
      ]) failure(await send({ parts }), 1006);
      const { frames: one, ...rest } = answer;
      failure(await send({ parts: frames(rest, Array(13).fill(greyPng(8, 8))) }), 1006);
    });

    test(`POST ${route}: other methods`, async () => {
      for (const method of ['GET', 'PUT', 'DELETE']) {
        const reply = await person.phone.send(method, route);
        assert.equal(reply.status, 405, reply.text);
        failure(reply, 1006);
      }
    });
  }

  test('POST /login/verify_token: sign-on and number that are none', async () => {
    const { nonce } = await person.phone.challenge(signOn);
    for (const more of [{ sign_on_id: undefined }, { sign_on_id: 7 }, { sign_on_id: 'x' }, { number: 'twelve' }, { number: {} }]) {
      failure(await person.phone.verify({ sign_on_id: signOn, nonce, ...more }, [jpeg]), 1006, 1032);
    }
  });

  test('POST /device/facial: consent to another text', async () => {
    const parts = frames({ nonce: (await person.phone.enrolmentChallenge()).nonce, consent_version: 'never-heard-of' }, [jpeg]);
    assert.equal(failure(await person.phone.send('POST', '/device/facial', { parts }), 1006).details.field, 'consent_version');
  });

  test('POST /client/upload_facial: by a backend that may not, and then by one that may', async () => {
    const facial = { bytes: jpeg, filename: 'a.jpg', type: 'image/jpeg' };
    const send = (parts) => otherSite.send('POST', '/client/upload_facial', { parts });
    await axiam.must('site', 'set', otherSite.id, 'backend_enrolment=false');
    const id = await otherSite.createClient('uploaded@other.example');
    failure(await send({ id, facial }), 1010);

    await axiam.must('site', 'set', otherSite.id, 'backend_enrolment=true');
    assert.deepEqual(data(await send({ id, facial })), { client_id: id, status: 'uploaded' });
    failure(await send({ id, facial: { ...facial, bytes: text } }), 1038);
    failure(await send({ id, facial: { ...facial, bytes: greyPng(8, 8, [60_000, 60_000]) } }), 1039);
    failure(await send({ id, facial: { ...facial, bytes: groupPhoto() } }), 1034);
    failure(await send({ id: person.id, facial }), 1007);
    failure(await send({ id: crypto.randomUUID(), facial }), 1007);
    for (const parts of [{}, { id }, { facial }]) failure(await send(parts), 1006);
    for (const wrong of ['', 'x', '\u0000']) failure(await send({ id: wrong, facial }), 1006, 1007);
    failure(await otherSite.send('POST', '/client/upload_facial', { body: '--x', type: 'multipart/form-data; boundary=y' }), 1006);
    failure(await otherSite.send('POST', '/client/upload_facial', { json: { id } }), 1006);
  });

  test('after all of this the same sign-on still works', async () => {
    data(await person.phone.scan([owner.photo(1)], { signOn }));
  });
});

describe('beside the routes', () => {
  test('unknown routes answer in the envelope', async () => {
    for (const route of ['/', '/nowhere', '/login', '/client/', '/login/verify_token/', '//login/pending', '/%00', '/%ff']) {
      const reply = await request(axiam.api + route, { method: 'POST' });
      assert.ok([400, 404].includes(reply.status), `${route}: ${reply.status}`);
      failure(reply, 1006);
    }
    failure(await request(`${axiam.url}/api/v2/`), 1006);
  });

  test('/cable without an upgrade is a plain refusal', async () => {
    const reply = await request(`${axiam.url}/cable`);
    assert.ok(reply.status >= 400 && reply.status < 500, `${reply.status}`);
  });

  test('the contract is served', async () => {
    const reply = await request(`${axiam.url}/api/openapi.json`);
    assert.equal(reply.status, 200);
    const paths = Object.keys(reply.json.paths).join(' ');
    for (const { route } of JSON_ROUTES) assert.ok(paths.includes(route), `${route} is not in ${paths}`);
  });

  test('the log has no secret and no failure of the server', () => {
    assert.ok(axiam.log.length > 0);
    for (const [name, secret] of secrets) assert.ok(!axiam.log.includes(secret), `the ${name} is in the log`);
    assert.doesNotMatch(axiam.log, /panicked|internal error/i);
  });

  test('no photo and no template is in the log, the data or a temporary file, also when the program is ended hard', async () => {
    const photos = [owner.photo(0), owner.photo(1)];
    const numbers = templates(beside('template'), owner.files.slice(0, 2));
    await axiam.halt('SIGABRT');
    const places = everything([axiam.dataDir, scratch], { log: axiam.log });
    // What is searched for is found where it is.
    const planted = new Map([['photo', photos[0]], ['hex', Buffer.from(`x${photos[0].toString('hex')}`)], ['base64', Buffer.from(photos[0].toString('base64'))]]);
    assert.deepEqual(holdingPhoto(planted, photos[0]), ['photo', 'hex', 'base64']);
    const floats = Buffer.concat(numbers[0].map((text) => { const bytes = Buffer.alloc(4); bytes.writeFloatLE(Number(text)); return bytes; }));
    assert.deepEqual(holdingTemplate(new Map([['floats', floats], ['text', Buffer.from(`[${numbers[0]}]`)]]), numbers[0]), ['floats', 'text']);
    // The faces were enrolled and are somewhere in here.
    assert.ok([...places.values()].some((content) => content.includes('SQLite format 3')), [...places.keys()].join(' '));

    for (const photo of photos) assert.deepEqual(holdingPhoto(places, photo), []);
    for (const template of numbers) assert.deepEqual(holdingTemplate(places, template), []);
  });
});
