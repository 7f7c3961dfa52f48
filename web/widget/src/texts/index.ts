// The widget's words in five languages. `{email}`, `{time}`, `{count}` and `{code}` are filled in.

import { ar } from './ar.js';
import { de } from './de.js';
import { en } from './en.js';
import { es } from './es.js';
import { vi } from './vi.js';

export interface Texts {
  title: string;
  titleText: string;
  emailLabel: string;
  emailInvalid: string;
  send: string;
  sending: string;
  chooseNumber: string;
  lookAtPhone: string;
  sentFor: string;
  scanning: string;
  remaining: string;
  slow: string;
  setUp: string;
  cancel: string;
  offline: string;
  attemptsLeft: string;
  verified: string;
  verifiedAs: string;
  continue: string;
  submitted: string;
  failed: string;
  failedText: string;
  denied: string;
  deniedText: string;
  expired: string;
  expiredText: string;
  noDevice: string;
  noDeviceText: string;
  error: string;
  errorText: string;
  offlineText: string;
  staleText: string;
  setupText: string;
  tryAgain: string;
  startAgain: string;
  otherAddress: string;
  reload: string;
  code: string;
}

export const LANGUAGES = { ar, de, en, es, vi };

export type Language = keyof typeof LANGUAGES;

/** The first of the wanted languages that the widget speaks ("de-AT" is German); English where none is. */
export function pick(...wanted: (string | null | undefined)[]): Language {
  for (const tag of wanted) {
    const language = tag?.toLowerCase().split('-')[0];
    if (language && Object.hasOwn(LANGUAGES, language)) return language as Language;
  }
  return 'en';
}

/** `{name}` in a text becomes the value of that name. */
export function fill(text: string, values: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}
