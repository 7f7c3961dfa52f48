// What a face must be like before it is photographed, and what is said where it is not. Pure.

import type { Face } from '../engine/program.js';
import type { Action } from '../server/routes.js';

/** Of where the face is. */
export type FaceHint = 'intoOval' | 'nearer' | 'farther';

/** Of a step that is not done yet: the words of the server's own hints. */
export type MoreHint = 'look_straight' | 'turn_more' | 'look_up_more' | 'blink_again' | 'open_wider' | 'come_closer';

const MORE: Record<Action, MoreHint> = {
  look_straight: 'look_straight', turn_left: 'turn_more', turn_right: 'turn_more', look_up: 'look_up_more',
  blink: 'blink_again', open_mouth: 'open_wider', come_closer: 'come_closer',
};

/** Farthest from the middle, in parts of the picture, across and down. */
const ASIDE = 0.17;
const OFF_LEVEL = 0.18;
/** From hairline to chin, in parts of the picture's height. There must be room left to come closer. */
const SMALL = 0.22;
const LARGE = 0.72;
/** Degrees that count as straight ahead; the server takes 25. */
const STRAIGHT = 18;
/** Opening of eyes that look; the server takes no photo of closed ones. */
export const OPEN = 0.2;

/** What is wrong with the place of a face; null if it is in the oval. */
export function framing({ x, y, height }: Face): FaceHint | null {
  if (Math.abs(x - 0.5) > ASIDE || Math.abs(y - 0.5) > OFF_LEVEL) return 'intoOval';
  if (height < SMALL) return 'nearer';
  return height > LARGE ? 'farther' : null;
}

/** Whether it looks into the camera. */
export const straightness = ({ yaw }: Face): MoreHint | null => (Math.abs(yaw) > STRAIGHT ? 'look_straight' : null);

/** What a person hears who does too little. */
export const more = (action: Action): MoreHint => MORE[action];
