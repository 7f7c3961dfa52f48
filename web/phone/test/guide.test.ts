// When photos are taken and what is said meanwhile, without a camera.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { Face } from '../src/engine/program.js';
import { Guide, type Advice } from '../src/capture/guide.js';
import { luma, measure, type Measures } from '../src/capture/measure.js';
import type { Action, Challenge } from '../src/server/routes.js';

const GOOD: Measures = { brightness: 120, sharpness: 200, peak: 240, change: 1 };
const steps = (...actions: Action[]): Challenge['steps'] => actions.map((action, at) => ({ id: `s${at + 1}`, action }));

/** Looks ten times a second until it is done, or for a minute; with an engine where `face` says what it sees. */
function follow(guide: Guide, see: (at: number) => Measures, until = 60_000, face?: (at: number) => Face | null): (Advice & { at: number })[] {
  const told = [];
  for (let at = 0; at <= until; at += 100) {
    const advice = guide.look(see(at), at, face?.(at));
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

  test('what was said of one step is not said of the next', () => {
    const guide = new Guide(steps('look_straight', 'turn_left'));
    const shots = follow(new Guide(steps('look_straight', 'turn_left')), () => GOOD).filter(({ shoot }) => shoot === 's1');
    // The last photo of the first step is blurred a moment before.
    const told = follow(guide, (at) => ({ ...GOOD, sharpness: at > shots.at(-1)!.at - 300 && at < shots.at(-1)!.at ? 1 : 200 }));
    assert.ok(told.some(({ hint }) => hint === 'holdStill'));
    assert.deepEqual(told.filter(({ step, hint }) => step === 1 && hint !== null), []);
  });

  test('who moves as asked is not told to hold still', () => {
    const told = follow(new Guide(steps('look_straight', 'turn_left')), () => GOOD);
    const turning = told.find(({ step }) => step === 1)!.at;
    const blurred = follow(new Guide(steps('look_straight', 'turn_left')), (at) => ({ ...GOOD, sharpness: at > turning ? 1 : 200 }));
    assert.deepEqual(blurred.filter(({ hint }) => hint !== null), []);
  });
});

describe('with an engine that sees the face', () => {
  const still: Face['ways'] = { look_straight: 1, turn_left: 0, turn_right: 0, look_up: 0, blink: 0, open_mouth: 0, come_closer: 0 };
  const straight: Face = { x: 0.5, y: 0.5, height: 0.4, yaw: 2, eyes: 0.32, ways: still };
  const doing = (ways: Partial<Face['ways']>): Face => ({ ...straight, ways: { ...still, ...ways } });
  const watch = (guide: Guide, face: (at: number) => Face | null, until = 60_000): (Advice & { at: number })[] => follow(guide, () => GOOD, until, face);
  const shotsOf = (told: (Advice & { at: number })[], id: string): number[] => told.filter(({ shoot }) => shoot === id).map(({ at }) => at);

  test('a step is photographed when it is done, however long that takes, and not before', () => {
    const told = watch(new Guide(steps('look_straight', 'turn_left')), (at) => (at < 9_000 ? straight : doing({ turn_left: 1.4 })));
    assert.ok(shotsOf(told, 's1').at(-1)! < 2_000);
    assert.equal(shotsOf(told, 's2')[0], 9_000);
    assert.ok(told.at(-1)!.isDone);
  });

  test('half of the way is not enough, and after a while the person hears what is missing', () => {
    const told = watch(new Guide(steps('look_straight', 'turn_left', 'blink')), (at) => (at < 1_500 ? straight : doing({ turn_left: 0.5 })), 8_000);
    assert.ok(told.every(({ shoot, isSpare }) => shoot !== 's2' || isSpare));
    assert.equal(told.at(-1)!.step, 1);
    assert.equal(told.at(-1)!.hint, 'turn_more');
    assert.ok(told.every(({ hint, at }) => hint === null || at > 4_000));
  });

  test('the furthest that somebody goes is kept, and sent where nothing better comes', () => {
    const way = (at: number): number => (at < 2_500 ? 0 : at < 3_000 ? 0.7 : at < 3_500 ? 0.95 : 0.1);
    const told = watch(new Guide(steps('look_straight', 'turn_left', 'blink')), (at) => doing({ turn_left: way(at), blink: at > 10_000 ? 2 : 0 }));
    const turns = told.filter(({ shoot }) => shoot === 's2');
    assert.deepEqual(turns.map(({ at, isSpare }) => [at, isSpare]), [[2_500, true], [3_000, true]]);
    assert.ok(told.find(({ step }) => step === 2)!.at < 10_000);
    const better = watch(new Guide(steps('look_straight', 'turn_left', 'blink')), (at) => doing({ turn_left: at < 2_500 ? 0 : at < 3_000 ? 0.9 : 1.5 }));
    assert.deepEqual(better.filter(({ shoot }) => shoot === 's2').map(({ isSpare }) => isSpare), [true, false, false]);
  });

  test('of somebody whom the engine measures too low the best is sent, not what comes when patience ends', () => {
    const nearer = (at: number): number => (at % 1_000 === 700 ? 0.35 + (at === 5_700 ? 0.05 : 0) : 0);
    const turned = (at: number): number => (at % 1_000 === 200 ? 0.3 : 0);
    const told = watch(new Guide(steps('look_straight', 'come_closer', 'turn_left')), (at) => doing({ come_closer: nearer(at), turn_left: turned(at) }));
    const closer = told.filter(({ shoot }) => shoot === 's2');
    assert.equal(closer.at(-1)!.at, 5_700);
    assert.ok(closer.every(({ isSpare }) => isSpare));
    const [first, second] = [told.find(({ step }) => step === 1)!.at, told.find(({ step }) => step === 2)!.at];
    assert.ok(second - first > 10_000 && told.at(-1)!.at - second < 6_000 && told.at(-1)!.isDone);
  });

  test('a face that is of another size for one look is measured wrong; one that stays so has come nearer', () => {
    const odd = { ...doing({ blink: 4 }), height: 0.3 };
    const told = watch(new Guide(steps('look_straight', 'blink')), (at) => (at === 5_000 ? odd : at >= 8_000 ? doing({ blink: 1.8 }) : straight));
    assert.ok(shotsOf(told, 's2')[0]! >= 8_000);
    const nearer = { ...doing({ come_closer: 1.3 }), height: 0.55 };
    const come = watch(new Guide(steps('look_straight', 'come_closer')), (at) => (at >= 5_000 ? nearer : straight));
    assert.equal(shotsOf(come, 's2')[0], 5_100);
  });

  test('a blink is photographed in the instant it is seen; the step ends although no second photo shows it', () => {
    const told = watch(new Guide(steps('look_straight', 'blink')), (at) => (at === 5_000 ? doing({ blink: 1.8 }) : straight));
    assert.deepEqual(shotsOf(told, 's2'), [5_000]);
    assert.ok(told.at(-1)!.isDone && told.at(-1)!.at < 6_000);
  });

  test('what was asked before must be over: two movements at once are not told apart', () => {
    const told = watch(new Guide(steps('look_straight', 'turn_left', 'open_mouth')), (at) =>
      (at < 2_000 ? straight : doing({ turn_left: at < 6_000 ? 2 : 0, open_mouth: at < 3_500 ? 0 : 1.5 })));
    assert.ok(shotsOf(told, 's2').length > 0);
    assert.equal(told.find(({ shoot, isSpare }) => shoot === 's3' && !isSpare)!.at, 6_000);
  });

  test('the look straight ahead waits for open eyes and a face in the oval, and says which it is', () => {
    const odd: [Partial<Face>, Advice['hint']][] = [
      [{ x: 0.8 }, 'intoOval'], [{ y: 0.2 }, 'intoOval'], [{ height: 0.15 }, 'nearer'], [{ height: 0.8 }, 'farther'],
      [{ yaw: 30 }, 'look_straight'], [{ eyes: 0.1 }, null],
    ];
    for (const [part, hint] of odd) {
      const told = watch(new Guide(steps('look_straight')), (at) => (at < 5_000 ? { ...straight, ...part } : straight));
      assert.equal(told[5]!.hint, hint, JSON.stringify(part));
      assert.ok(shotsOf(told, 's1')[0]! >= 5_000, JSON.stringify(part));
    }
    const nobody = watch(new Guide(steps('look_straight')), (at) => (at < 5_000 ? null : straight));
    assert.equal(nobody[5]!.hint, 'intoOval');
  });

  test('only looks straight ahead are what steps are measured against', () => {
    const told = watch(new Guide(steps('look_straight', 'turn_left')), (at) => (at < 3_000 ? straight : doing({ turn_left: 1.4 })));
    for (const { shoot, isStraight } of told) assert.equal(isStraight, shoot === 's1');
  });

  test('an engine that never sees it stops nobody, and is believed less from then on', () => {
    const told = watch(new Guide(steps('look_straight', 'turn_left', 'blink')), () => straight);
    assert.ok(told.at(-1)!.isDone);
    const [turn, blink] = [shotsOf(told, 's2'), shotsOf(told, 's3')];
    assert.ok(turn[0]! >= 10_000 && turn.length >= 2 && blink[0]! - turn.at(-1)! < 6_000);
    assert.ok(watch(new Guide(steps('look_straight')), () => null).at(-1)!.isDone);
  });

  test('one that goes away in the middle leaves brightness and sharpness', () => {
    const guide = new Guide(steps('look_straight', 'turn_left'));
    for (let at = 0; at < 2_000; at += 100) guide.look(GOOD, at, straight);
    let last: Advice | undefined;
    for (let at = 2_000; at < 8_000 && !last?.isDone; at += 100) last = guide.look(GOOD, at);
    assert.ok(last?.isDone);
  });

  test('the ring fills with the movement and never goes back', () => {
    const told = watch(new Guide(steps('look_straight', 'turn_left')), (at) => (at < 2_000 ? straight : doing({ turn_left: (at - 2_000) / 1_000 })));
    const shares = told.map(({ progress }) => progress);
    assert.deepEqual(shares, [...shares].sort((a, b) => a - b));
    assert.ok(new Set(shares.filter((share) => share > 0.5 && share < 0.75)).size > 5);
    assert.equal(shares.at(-1), 1);
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
