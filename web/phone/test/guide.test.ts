// When photos are taken and what is said meanwhile, without a camera.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { Guide, type Advice } from '../src/guide.js';
import { luma, measure, type Measures } from '../src/measure.js';
import type { Action, Challenge } from '../src/routes.js';

const GOOD: Measures = { brightness: 120, sharpness: 200, peak: 240, change: 1 };
const steps = (...actions: Action[]): Challenge['steps'] => actions.map((action, at) => ({ id: `s${at + 1}`, action }));

/** Looks ten times a second until it is done, or for a minute. */
function follow(guide: Guide, see: (at: number) => Measures, until = 60_000): (Advice & { at: number })[] {
  const told = [];
  for (let at = 0; at <= until; at += 100) {
    const advice = guide.look(see(at), at);
    told.push({ ...advice, at });
    if (advice.isDone || advice.problem) break;
  }
  return told;
}

describe('photos', () => {
  test('every step in its order, one to three of each, twelve at most, at least 150 ms from step to step', () => {
    for (const actions of [['look_straight'], ['look_straight', 'turn_left', 'blink'], ['look_straight', 'open_mouth', 'look_up', 'come_closer']] as Action[][]) {
      const told = follow(new Guide(steps(...actions)), () => GOOD);
      const shots = told.filter(({ shoot }) => shoot);
      assert.ok(told.at(-1)!.isDone);
      assert.ok(shots.length <= 12);
      assert.deepEqual([...new Set(shots.map(({ shoot }) => shoot))], steps(...actions).map(({ id }) => id));
      for (const { id } of steps(...actions)) {
        const of = shots.filter(({ shoot }) => shoot === id).length;
        assert.ok(of >= 1 && of <= 3, `${of} of ${id}`);
      }
      shots.slice(1).forEach(({ at }, index) => assert.ok(at - shots[index]!.at >= 150));
      assert.equal(told.at(-1)!.progress, 1);
      const shares = told.map(({ progress }) => progress);
      assert.deepEqual(shares, [...shares].sort((a, b) => a - b));
    }
  });

  test('the person has time to do what is asked before the first photo of a step', () => {
    const told = follow(new Guide(steps('look_straight', 'turn_left', 'blink')), () => GOOD);
    for (const step of [1, 2]) {
      const begun = told.find((advice) => advice.step === step)!.at;
      const shot = told.find(({ shoot }) => shoot === `s${step + 1}`)!.at;
      assert.ok(shot - begun >= 800, `${shot - begun} ms`);
    }
  });

  test('a picture that is the one before is not taken again', () => {
    const told = follow(new Guide(steps('look_straight')), (at) => ({ ...GOOD, change: at < 2_000 ? 0 : 1 }));
    assert.ok(told.find(({ shoot }) => shoot)!.at >= 2_000);
  });
});

describe('hints', () => {
  test('darkness is waited for, and said', () => {
    const told = follow(new Guide(steps('look_straight')), (at) => ({ ...GOOD, brightness: at < 3_000 ? 20 : 120 }));
    assert.equal(told[0]!.hint, 'tooDark');
    assert.ok(told.find(({ shoot }) => shoot)!.at >= 3_000);
  });

  test('a capture is never stopped by what we measure: after a while the server judges', () => {
    const told = follow(new Guide(steps('look_straight')), () => ({ ...GOOD, sharpness: 1 }));
    assert.ok(told.at(-1)!.isDone);
    assert.ok(told.find(({ shoot }) => shoot)!.at >= 5_000);
  });

  test('at most one hint in two seconds, however the light changes', () => {
    const told = follow(new Guide(steps('look_straight')), (at) => ({ ...GOOD, brightness: at % 400 < 200 ? 20 : 240 }), 20_000);
    const changes = told.filter(({ hint }, at) => at > 0 && hint !== told[at - 1]!.hint);
    assert.ok(changes.length > 1);
    changes.slice(1).forEach(({ at }, index) => assert.ok(at - changes[index]!.at >= 2_000));
  });

  test('who moves as asked is not told to hold still', () => {
    const told = follow(new Guide(steps('look_straight', 'turn_left')), () => GOOD);
    const turning = told.find(({ step }) => step === 1)!.at;
    const blurred = follow(new Guide(steps('look_straight', 'turn_left')), (at) => ({ ...GOOD, sharpness: at > turning ? 1 : 200 }));
    assert.deepEqual(blurred.filter(({ hint }) => hint !== null), []);
  });
});

describe('cameras at fault', () => {
  test('black, and standing still, each after three seconds and not before', () => {
    const black = follow(new Guide(steps('look_straight')), () => ({ brightness: 4, sharpness: 0, peak: 10, change: 0 }));
    assert.deepEqual([black.at(-1)!.problem, black.at(-1)!.at], ['black', 3_000]);
    const frozen = follow(new Guide(steps('look_straight')), () => ({ ...GOOD, change: 0 }));
    assert.equal(frozen.at(-1)!.problem, 'frozen');
    const slow = follow(new Guide(steps('look_straight')), (at) => ({ ...GOOD, change: at % 500 === 0 ? 1 : 0 }));
    assert.ok(slow.at(-1)!.isDone, 'a slow camera is no frozen one');
  });
});

describe('measures', () => {
  const width = 40;
  const picture = (value: (x: number, y: number) => number): Uint8Array =>
    Uint8Array.from({ length: width * 60 }, (_, at) => value(at % width, Math.floor(at / width)));

  test('luma weighs green most, red less, blue least', () => {
    assert.deepEqual([...luma(new Uint8ClampedArray([255, 0, 0, 255, 0, 255, 0, 255, 0, 0, 255, 255]))], [76, 149, 29]);
  });

  test('brightness is that of the middle, not of the window behind', () => {
    const { brightness, peak } = measure(picture((x, y) => (x >= 10 && x < 30 && y >= 12 && y < 48 ? 30 : 250)), width, null);
    assert.deepEqual([brightness, peak], [30, 250]);
  });

  test('edges are sharp, a slope is not', () => {
    const sharp = measure(picture((x) => (x % 2 ? 200 : 50)), width, null).sharpness;
    const soft = measure(picture((x) => x * 5), width, null).sharpness;
    assert.ok(sharp > 10_000 && soft < 1, `${sharp}, ${soft}`);
  });

  test('change is the mean difference', () => {
    const grey = picture(() => 100);
    assert.equal(measure(grey, width, null).change, null);
    assert.equal(measure(grey, width, grey).change, 0);
    assert.equal(measure(grey, width, picture(() => 97)).change, 3);
  });
});
