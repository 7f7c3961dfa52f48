// The phone's words in five languages. Names in braces are filled in.

import type { CameraProblem } from '../capture/camera.js';
import type { Hint } from '../capture/guide.js';
import type { Action, PastSignOn } from '../server/routes.js';
import { ar } from './ar.js';
import { de } from './de.js';
import { en } from './en.js';
import { es } from './es.js';
import { vi } from './vi.js';

/** A screen that tells of a problem: its title, and what to do. */
export type Told = [title: string, text: string];

export interface Texts {
  back: string;
  cancel: string;
  done: string;
  tryAgain: string;
  notNow: string;
  scanCode: string;
  offline: string;
  code: string;

  welcome: Told;
  codeTitle: string;
  codeText: string;
  codeElsewhere: Told;
  codeOpen: string;
  codeUnknown: string;

  pairTitle: string;
  pairText: string;
  pairServer: string;
  nameLabel: string;
  pair: string;
  pairing: string;
  paired: Told;
  pairedWaiting: Told;
  cannotTitle: string;
  cannotText: string;
  cannotTooMuch: string;
  /** As choices of what someone cannot do. */
  movements: Record<Exclude<Action, 'look_straight'>, string>;

  install: Told;
  installSteps: string[];
  installNow: string;
  inApp: Told;
  insecure: Told;
  storage: Told;
  copyLink: string;
  copied: string;
  reload: string;
  /** The phone's own store fails somewhere else than in pairing. */
  storeAway: string;

  consentTitle: string;
  consentVersion: string;
  agree: string;
  enrolTitle: string;
  enrolText: string;
  enrolled: Told;

  opening: string;
  steps: Record<Action, string>;
  hints: Record<Hint, string>;
  progress: string;
  checking: string;
  slow: string;

  camera: Record<CameraProblem, Told>;
  cameraAgain: string;

  inboxTitle: string;
  inboxEmpty: Told;
  sites: string;
  faceMissing: string;
  lost: string;
  requestFrom: string;
  requestedAt: string;
  ago: string;

  notifyTitle: string;
  notifyOffer: Told;
  notifyTurnOn: string;
  notifyTurnOff: string;
  notifyOn: Told;
  notifyBlocked: Told;
  notifyFailed: string;

  askTitle: string;
  website: string;
  browser: string;
  place: string;
  time: string;
  unknown: string;
  chooseNumber: string;
  typeNumber: string;
  numberInvalid: string;
  scanFace: string;
  refuse: string;
  notMe: string;
  remaining: string;
  verified: Told;
  refused: Told;
  reported: Told;
  over: Told;
  expired: Told;
  /** It failed for good, and how exactly was not heard. */
  notAccepted: string;
  attemptsLeft: string;

  devices: string;
  thisDevice: string;
  newPhone: string;
  newPhoneText: string;
  confirmPhone: string;
  refusePhone: string;
  unconfirmed: string;
  unconfirmedText: string;
  lastSeen: string;
  recent: string;
  recentNone: string;
  recentText: string;
  unknownBrowser: string;
  showMore: string;
  verdicts: Record<PastSignOn['verdict'], string>;
  unpair: string;
  unpairThis: string;
  unpairText: string;
  unpaired: Told;
  scanAgain: string;
  erase: string;
  eraseText: string;
  eraseName: string;
  eraseWrong: string;
  erased: Told;
  erasedCounts: string;
  receipt: string;
  saveReceipt: string;
  copy: string;
  forget: string;
  lostText: string;

  /** By the API's code. */
  errors: Record<number, string>;
  /** By what a poor photo's `details.reason`, or a refused movement's `details.hint` says. */
  reasons: Record<string, string>;
  unreachable: string;
  failedTitle: string;
  someError: string;
}

export const LANGUAGES: Record<'ar' | 'de' | 'en' | 'es' | 'vi', Texts> = { ar, de, en, es, vi };

export type Language = keyof typeof LANGUAGES;
