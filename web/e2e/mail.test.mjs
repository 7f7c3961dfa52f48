// Letters as a mail server gets them: over TLS that is checked, by a user with a password out of a file; and what is said when
// one of these is wrong. The server is a few lines of SMTP of these tests.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import tls from 'node:tls';

import { Axiam } from './support/axiam.mjs';

const PASSWORD = 's3cret of mail & more';

/** Speaks SMTP with whoever connects; what was said and taken is in `heard`. */
function speak(socket, heard) {
  let rest = '';
  let letter;
  const say = (line) => socket.write(`${line}\r\n`);
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    rest += chunk;
    for (let end; (end = rest.indexOf('\r\n')) >= 0;) {
      const line = rest.slice(0, end);
      rest = rest.slice(end + 2);
      if (letter !== undefined) {
        if (line === '.') {
          heard.letters.push(letter);
          letter = undefined;
          say('250 2.0.0 kept as 42');
        } else {
          letter += `${line}\n`;
        }
        continue;
      }
      heard.lines.push(line);
      const [, user, given] = line.startsWith('AUTH PLAIN ') ? Buffer.from(line.slice(11), 'base64').toString().split('\0') : [];
      if (line.startsWith('EHLO')) say('250-mail.test\r\n250-AUTH PLAIN\r\n250 8BITMIME');
      else if (line.startsWith('AUTH')) say(user === 'axiam' && given === PASSWORD ? '235 2.7.0 come in' : '535 5.7.8 not with this password');
      else if (line.startsWith('RCPT TO:<nobody@')) say('550 5.1.1 nobody of that name');
      else if (line === 'DATA') { letter = ''; say('354 go on'); }
      else if (line === 'QUIT') { say('221 bye'); socket.end(); }
      else say('250 fine');
    }
  });
  say('220 mail.test');
}

describe('a mail server', () => {
  let axiam, folder, secure, plain;
  const heard = { lines: [], letters: [] };
  const settings = (more = {}) => ({
    AXIAM_MAIL_URL: `smtps://axiam@localhost:${secure.address().port}`,
    AXIAM_MAIL_FROM: 'Axiam <signin@example.com>',
    AXIAM_MAIL_PASSWORD_FILE: path.join(folder, 'password'),
    SSL_CERT_FILE: path.join(folder, 'certificate.pem'),
    ...more,
  });
  const send = async (to, more) => {
    heard.lines.length = heard.letters.length = 0;
    axiam.environment = { ...own, ...settings(more) };
    return axiam.run('mail', 'test', to);
  };
  let own;

  before(async () => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'axiam-mail-'));
    const file = (name) => path.join(folder, name);
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2',
      '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-addext', 'basicConstraints=critical,CA:FALSE', '-keyout', file('key.pem'), '-out', file('certificate.pem')], { stdio: 'ignore' });
    fs.writeFileSync(file('password'), `${PASSWORD}\n`);
    const identity = { key: fs.readFileSync(file('key.pem')), cert: fs.readFileSync(file('certificate.pem')) };
    secure = tls.createServer(identity, (socket) => speak(socket, heard)).on('tlsClientError', () => {});
    plain = net.createServer((socket) => speak(socket, heard));
    for (const server of [secure, plain]) await new Promise((done) => server.listen(0, 'localhost', done));
    axiam = await Axiam.start();
    own = axiam.environment;
  });
  after(async () => {
    await axiam?.stop();
    secure?.close();
    plain?.close();
    fs.rmSync(folder, { recursive: true, force: true });
  });

  test('takes a letter over TLS, from a user with a password', async () => {
    const { code, stdout, stderr } = await send('ann@example.com');
    assert.equal(code, 0, stderr);
    assert.match(stdout, /took it for ann@example\.com: 250/);
    assert.ok(!stdout.includes(PASSWORD) && !stderr.includes(PASSWORD));
    assert.deepEqual(heard.lines.filter((line) => /^(MAIL|RCPT)/.test(line)).map((line) => line.split(' BODY')[0]), ['MAIL FROM:<signin@example.com>', 'RCPT TO:<ann@example.com>']);
    const [letter] = heard.letters;
    for (const line of ['From: Axiam <signin@example.com>', 'To: ann@example.com', 'Subject: A letter from Axiam', 'Auto-Submitted: auto-generated', 'multipart/alternative', 'text/html']) {
      assert.ok(letter.includes(line), `${line}: ${letter}`);
    }
    assert.match(letter, /Message-ID: <[0-9a-f-]{36}@example\.com>/);
    axiam.environment = { ...own, ...settings() };
    assert.match((await axiam.run('doctor')).stdout, /ok +mail +smtps:.* answers/);
  });

  test('is told nothing where its certificate is not trusted', async () => {
    const { code, stderr } = await send('ann@example.com', { SSL_CERT_FILE: '/etc/ssl/certs/ca-certificates.crt' });
    assert.ok(code !== 0 && /certificate|UnknownIssuer/i.test(stderr), stderr);
    assert.deepEqual([heard.lines, heard.letters], [[], []]);
  });

  test('that wants another password, or knows nobody of that name, is quoted', async () => {
    const wrong = await send('ann@example.com', { AXIAM_MAIL_PASSWORD_FILE: '', AXIAM_MAIL_PASSWORD: 'another one' });
    assert.ok(wrong.code !== 0 && wrong.stderr.includes('535') && !wrong.stderr.includes('another one'), wrong.stderr);
    const nobody = await send('nobody@example.com');
    assert.ok(nobody.code !== 0 && nobody.stderr.includes('nobody of that name'), nobody.stderr);
    assert.deepEqual(heard.letters, []);
    const gone = await send('ann@example.com', { AXIAM_MAIL_PASSWORD_FILE: path.join(folder, 'nothing') });
    assert.ok(gone.code !== 0 && gone.stderr.includes('mail.password_file'), gone.stderr);
    axiam.environment = { ...own, ...settings({ AXIAM_MAIL_PASSWORD_FILE: path.join(folder, 'nothing') }) };
    assert.match((await axiam.run('doctor')).stdout, /WRONG +mail/);
  });

  test('on this machine may speak plain text', async () => {
    const { code, stderr } = await send('ann@example.com', {
      AXIAM_MAIL_URL: `smtp://127.0.0.1:${plain.address().port}`, AXIAM_MAIL_PASSWORD_FILE: '',
    });
    assert.equal(code, 0, stderr);
    assert.equal(heard.letters.length, 1);
    assert.ok(!heard.lines.some((line) => line.startsWith('AUTH')));
  });

  test('must be told whole', async () => {
    for (const [more, key] of [
      [{ AXIAM_MAIL_URL: 'mail.example.com' }, 'mail.url'],
      [{ AXIAM_MAIL_URL: 'smtps://axiam:s3cret@mail.example.com' }, 'mail.url'],
      [{ AXIAM_MAIL_FROM: 'Axiam' }, 'mail.from'],
      [{ AXIAM_MAIL_PASSWORD_FILE: '' }, 'mail.password_file'],
    ]) {
      const { code, stderr } = await send('ann@example.com', more);
      assert.ok(code !== 0 && stderr.includes(key) && !stderr.includes('s3cret'), stderr);
    }
  });

  test('that is missing is said, and letters go into the terminal while somebody develops', async () => {
    axiam.environment = own;
    const { code, stdout } = await axiam.run('mail', 'test', 'ann@example.com');
    assert.equal(code, 0);
    assert.match(stdout, /A letter that no mail server takes[\s\S]*To: ann@example\.com/);
    axiam.environment = { ...own, AXIAM_SERVER_PUBLIC_URL: 'https://signin.example.com' };
    const none = await axiam.run('mail', 'test', 'ann@example.com');
    assert.ok(none.code !== 0 && none.stderr.includes('mail.url'), none.stderr);
  });
});
