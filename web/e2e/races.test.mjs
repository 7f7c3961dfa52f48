// What may happen once happens once, however many ask at the same moment, on every database.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { Axiam } from './support/axiam.mjs';
import { DATABASES } from './support/database.mjs';
import { data, failure } from './support/http.mjs';
import { Page } from './support/page.mjs';
import { Phone } from './support/phone.mjs';
import { people } from './support/photos.mjs';

const AT_ONCE = 8;
const [owner, stranger] = people();

/** All at the same moment. */
const together = (ask) => Promise.all(Array.from({ length: AT_ONCE }, (_, at) => ask(at)));

/** Exactly one of the replies is a success, the others fail with one of these codes. Returns that one's data. */
function once(replies, ...codes) {
  const [won, ...more] = replies.filter((reply) => reply.status === 200);
  replies.filter((reply) => reply.status !== 200).forEach((reply) => failure(reply, ...codes));
  assert.ok(won, 'none succeeded');
  assert.equal(more.length, 0, 'more than one succeeded');
  return data(won);
}

for (const database of DATABASES) {
  describe(database.name, { skip: database.missing ?? false }, () => {
    let axiam, site, page;
    before(async () => {
      axiam = await Axiam.start({ settings: await database.settings() });
      site = await axiam.createSite('https://shop.example');
      await site.authenticate();
      page = new Page(axiam, { token: site.pageToken });
    });
    after(async () => {
      page?.close();
      await axiam?.stop();
    });

    test('an e-mail address is one client', async () => {
      const answers = await together(() => site.post('/client/create', { email: 'one@shop.example', full_name: 'One' }));
      assert.equal(new Set(answers.map((answer) => data(answer).client_id)).size, 1);
    });

    test('an enrolment link is one phone', async () => {
      const { enrollment_url } = await site.qrcode(await site.createClient('link@shop.example'));
      const phones = await together(() => Phone.fromLink(enrollment_url));
      once(await Promise.all(phones.map((phone) => phone.register())), 1051);
    });

    test('a challenge is one answer, and its session token one login', async () => {
      const { id, phone } = await site.person('right@shop.example', { photos: [owner.photo(0)] });
      const { verification_token } = await site.push(id);
      const verdict = await page.listen('FacialSignOnLoginChannel', { verification_token });
      const [{ sign_on_id }] = await phone.pending();
      const { nonce } = await phone.challenge(sign_on_id);
      once(await together(() => phone.verify({ sign_on_id, nonce }, [owner.photo(1)])), 1006, 1031);
      const { client_session_token } = await verdict.hears('verified');
      once(await together(() => site.validateSession(client_session_token, id)), 1040);
      assert.deepEqual(verdict.statuses.filter((status) => status !== 'scanning'), ['verified']);
    });

    test('three tries are three, also for a wrong face that asks for all at once', async () => {
      const { id, phone } = await site.person('wrong@shop.example', { photos: [owner.photo(0)] });
      const { verification_token } = await site.push(id);
      const verdict = await page.listen('FacialSignOnLoginChannel', { verification_token });
      const [{ sign_on_id }] = await phone.pending();
      let counted = 0;
      for (let round = 0; round < 4; round++) {
        const asked = await phone.post('/login/challenge', { sign_on_id });
        if (asked.status !== 200) break;
        const { nonce } = data(asked);
        const replies = await together(() => phone.verify({ sign_on_id, nonce }, [stranger.photo(0)]));
        counted += replies.map((reply) => failure(reply, 1036, 1006, 1031)).filter((reply) => reply.code === 1036).length;
      }
      assert.equal(counted, 3);
      await verdict.hears('failed');
      assert.equal(verdict.statuses.filter((status) => status === 'failed').length, 1);
    });

    test('a yes and a no at once are one verdict', async () => {
      const { id, phone } = await site.person('both@shop.example', { photos: [owner.photo(0)] });
      const { verification_token } = await site.push(id);
      const verdict = await page.listen('FacialSignOnLoginChannel', { verification_token });
      const [{ sign_on_id }] = await phone.pending();
      const { nonce } = await phone.challenge(sign_on_id);
      const [yes, no] = await Promise.all([phone.verify({ sign_on_id, nonce }, [owner.photo(1)]), phone.deny(sign_on_id)]);
      once([yes, no], 1031, 1006);
      const expected = yes.status === 200 ? 'verified' : 'denied';
      await verdict.hears(expected);
      assert.equal(data(await site.status(verification_token)).status, expected);
      assert.deepEqual(verdict.statuses.filter((status) => status !== 'scanning'), [expected]);
    });
  });
}
