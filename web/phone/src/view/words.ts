// Failures and times in the person's language.

import { Refused, Unreachable } from '../server/api.js';
import { fill } from '../../../widget/src/texts/index.js';
import { NothingPaired } from '../pairing/pairing.js';
import type { Texts } from '../texts/index.js';
import { VaultError } from '../pairing/vault.js';

export { fill };

export interface Explained {
  sentence: string;
  /** For support; null where the server said nothing. */
  code: number | null;
}

/** What went wrong, in our own words; the server's where there are none. */
export function explain(error: unknown, t: Texts): Explained {
  if (error instanceof Unreachable) return { sentence: t.unreachable, code: null };
  if (error instanceof NothingPaired) return { sentence: error.isCodeSpent ? `${t.storage[1]} ${t.errors[1051]}` : t.storage[1], code: null };
  if (error instanceof VaultError) return { sentence: t.storeAway, code: null };
  if (!(error instanceof Refused)) return { sentence: t.someError, code: null };
  const { reason, hint, attempts_left: left } = error.details;
  const why = t.reasons[hint ?? reason ?? ''] ?? t.errors[error.code] ?? (error.sentence || t.someError);
  const rest = left === undefined || left < 1 ? '' : ` ${fill(t.attemptsLeft, { count: left })}`;
  return { sentence: why + rest, code: error.code };
}

/** Which browser asked, as far as that is known. */
export function asker({ browser, os }: { browser: string | null; os: string | null }, t: Texts): string | null {
  return browser && os ? fill(t.requestFrom, { browser, os }) : browser ?? os;
}

const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [['day', 86_400], ['hour', 3_600], ['minute', 60]];

/** "5 minutes ago", or the text for less than a minute. `at` and `now` in milliseconds since 1970. */
export function ago(at: number, now: number, language: string, moment: string): string {
  const seconds = Math.max(0, Math.round((now - at) / 1000));
  const unit = UNITS.find(([, length]) => seconds >= length);
  if (!unit) return moment;
  return new Intl.RelativeTimeFormat(language, { numeric: 'always' }).format(-Math.floor(seconds / unit[1]), unit[0]);
}

/** Minutes and seconds that are left. */
export function countdown(milliseconds: number): string {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
