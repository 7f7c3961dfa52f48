// Recordings of people who talk and make faces, cut into clips of all that a person does.

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

import { REPOSITORY } from './axiam.mjs';

const FOLDER = path.join(REPOSITORY, '../shared/faces/videos');

/** Pictures a second, as Chromium shows those of a file, and as `axiam face liveness` counts them. */
const RATE = 30;
const COUNTED = 10;
/** Upright 3 by 4, as the app takes it, with all that was recorded: cut to that, who turns would leave the picture. What is missing
 *  above and below mirrors what is there, for an edge across the picture would be a screen's. */
const UPRIGHT = 'scale=480:-2,pad=480:640:0:(oh-ih)/2,fillborders=top=80:bottom=80:mode=mirror';
/** Seconds before and after the moment in which a thing is done most. */
const AROUND = 0.8;
/** Of JPEG as ffmpeg has it, 2 being the best. */
const QUALITY = 2;

const MOVEMENTS = ['turn_left', 'turn_right', 'look_up', 'blink', 'open_mouth', 'come_closer'];

/** Why there are none; null where there are. */
export function missing() {
  if (!fs.existsSync(FOLDER)) return 'no ../shared/faces/videos beside the repository';
  try {
    execFileSync('ffmpeg', ['-version'], { stdio: 'ignore' });
    return null;
  } catch {
    return 'ffmpeg is not installed';
  }
}

/**
 * {name, without, clip(action)}: what each person never does, and pictures of them doing a thing once, each time another of those
 * in the recording. Of whom no challenge can be cut is left out. Who does what, and when, `axiam face liveness` says, so that
 * nobody is asked here for what is no honest answer there.
 */
export async function people(axiam) {
  const { performances } = JSON.parse(await axiam.must('face', 'liveness', FOLDER, '--answers', '0', '--json'));
  const able = performances.filter(({ challenges }) => challenges > 0);
  return able.map(({ recording, straight, shown }) => {
    const file = path.join(FOLDER, `${recording}.mp4`);
    const jpegs = pictures(file, RATE);
    // Who talks looks otherwise a thirtieth of a second later; who looks straight because they are asked to does not.
    const ahead = pictures(file, COUNTED)[straight];
    const clip = (action) => {
      if (action === 'look_straight') return [ahead];
      const moments = shown[action];
      const at = Math.round(moments[Math.floor(Math.random() * moments.length)] * RATE / COUNTED);
      const reach = Math.round(AROUND * RATE);
      return jpegs.slice(Math.max(0, at - reach), at + reach + 1);
    };
    return { name: recording, without: MOVEMENTS.filter((action) => !shown[action]), clip };
  });
}

function pictures(file, rate) {
  const stream = ffmpeg(file, `fps=${rate},${UPRIGHT}`, '-q:v', `${QUALITY}`, '-f', 'mjpeg');
  const begins = [];
  const marker = Buffer.from([0xff, 0xd8, 0xff]);
  for (let at = stream.indexOf(marker); at >= 0; at = stream.indexOf(marker, at + 3)) begins.push(at);
  return begins.map((from, i) => stream.subarray(from, begins[i + 1] ?? stream.length));
}

const ffmpeg = (file, filter, ...output) =>
  execFileSync('ffmpeg', ['-v', 'error', '-i', file, '-vf', filter, ...output, '-'], { maxBuffer: 2 ** 31 });
