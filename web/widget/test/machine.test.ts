// What leads where, and above all what leads nowhere.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { idle, next, pending, type Event, type Message, type Request, type State } from '../src/machine.js';

const request: Request = { email: 'ann@example.com', verificationToken: 'v', number: 7, sentAt: 0, expiresAt: 600_000 };
const waiting = pending(request);
const proof: Message = { status: 'verified', client_session_token: 's', client_id: 'c', email: 'ann@example.com', verified_at: '2026-01-01T00:00:00Z' };

const heard = (message: Message, state: State = waiting): State => next(state, { type: 'heard', message });
const refused = (code: number | null): State =>
  next({ name: 'sending', email: 'ann@example.com' }, { type: 'refused', fault: 'api', message: 'Why.', code });

const STATES: State[] = [
  idle('ann@example.com'),
  { name: 'sending', email: 'ann@example.com' },
  waiting,
  heard(proof),
  next(heard(proof), { type: 'submitted' }),
  heard({ status: 'failed', user_message: 'No.', code: 1036 }),
  heard({ status: 'denied' }),
  heard({ status: 'expired' }),
  refused(1012),
  refused(1022),
];

const EVENTS: Event[] = [
  { type: 'submit', email: 'ann@example.com' }, { type: 'sent', request }, { type: 'refused', fault: 'api', message: '', code: null },
  ...['pending', 'scanning', 'retry', 'verified', 'failed', 'denied', 'expired', 'something new', undefined]
    .map((status): Event => ({ type: 'heard', message: status ? { ...proof, status } : {} })),
  { type: 'gone' }, { type: 'connection', up: false }, { type: 'slow' }, { type: 'ask' }, { type: 'submitted' },
  { type: 'back' }, { type: 'again' }, { type: 'reset' },
];

test('the states are the ten that the contract names', () => {
  assert.deepEqual(STATES.map(({ name }) => name),
    ['idle', 'sending', 'pending', 'verified', 'submitted', 'failed', 'denied', 'expired', 'noDevice', 'error']);
});

test('only a proof that was heard while waiting leads to verified, and only verified to submitted', () => {
  for (const state of STATES) {
    for (const event of EVENTS) {
      const { name } = next(state, event);
      const proven = state.name === 'pending' && event.type === 'heard' && event.message.status === 'verified';
      if (name === 'verified' && state.name !== 'verified') assert.ok(proven, `${state.name}, ${JSON.stringify(event)}`);
      if (name === 'submitted' && state.name !== 'submitted') assert.deepEqual([state.name, event.type], ['verified', 'submitted']);
    }
  }
});

test('nothing but the person sends a request', () => {
  for (const state of STATES) {
    for (const event of EVENTS) {
      if (next(state, event).name !== 'sending' || state.name === 'sending') continue;
      assert.ok(event.type === 'submit' || event.type === 'again', `${state.name}, ${JSON.stringify(event)}`);
    }
  }
});

test('after a denial the person must type again', () => {
  const denied = heard({ status: 'denied' });
  assert.equal(next(denied, { type: 'again' }), denied);
  assert.deepEqual(next(denied, { type: 'back' }), idle('ann@example.com'));
});

test('every end has a way back', () => {
  for (const state of STATES.filter(({ name }) => ['failed', 'denied', 'expired', 'noDevice', 'error'].includes(name))) {
    assert.equal(next(state, { type: 'back' }).name, 'idle', state.name);
  }
});

test('what means nothing here changes nothing', () => {
  for (const state of STATES.filter(({ name }) => name !== 'pending')) {
    assert.equal(heard({ status: 'denied' }, state), state, state.name);
    assert.equal(next(state, { type: 'gone' }), state, state.name);
  }
  assert.equal(heard({}), waiting);
  assert.equal(heard({ status: 'pending' }), waiting);
});

describe('what is typed', () => {
  for (const email of ['', ' ', 'ann', 'ann@', '@example.com', 'a b@example.com', 'ann@@example.com']) {
    test(`"${email}" is refused before it is sent`, () => {
      assert.deepEqual(next(idle(''), { type: 'submit', email }), { name: 'idle', email: email.trim(), invalid: true });
    });
  }
  test('space around an address is no part of it', () => {
    assert.deepEqual(next(idle(''), { type: 'submit', email: ' ann@example.com ' }), { name: 'sending', email: 'ann@example.com' });
  });
});

describe('while a phone is asked', () => {
  test('a failed try says why and how many are left; a new scan clears it', () => {
    const scanning = heard({ status: 'scanning' });
    assert.equal(scanning.name === 'pending' && scanning.scanning, true);
    const retry = heard({ status: 'retry', user_message: 'Too dark.', attempts_left: 2 }, scanning);
    assert.deepEqual(retry.name === 'pending' && [retry.scanning, retry.retry], [false, { message: 'Too dark.', attemptsLeft: 2 }]);
    const anew = heard({ status: 'scanning' }, retry);
    assert.deepEqual(anew.name === 'pending' && [anew.scanning, anew.retry], [true, null]);
  });

  test('a verdict whose session token is gone is worth nothing', () => {
    const { client_session_token: _, ...redeemed } = proof;
    assert.equal(heard(redeemed).name, 'expired');
  });

  test('a connection that comes and goes leaves the request alone', () => {
    const away = next(waiting, { type: 'connection', up: false });
    assert.equal(away.name === 'pending' && away.offline, true);
    assert.equal(next(away, { type: 'connection', up: false }), away);
    assert.deepEqual(next(away, { type: 'connection', up: true }), waiting);
  });
});

test('whom nobody can ask for is told apart from what went wrong', () => {
  for (const code of [1007, 1008, 1012]) assert.equal(refused(code).name, 'noDevice');
  for (const code of [1001, 1016, 1022, 5000, null]) assert.equal(refused(code).name, 'error');
});
