// What a push shows, in the phone's language. It holds no number and nothing that answers: others read locked screens too.

import { fill } from '../../../widget/src/texts/index.js';
import type { Language } from '../texts/index.js';
import { NOTIFICATIONS } from '../texts/notifications.js';

/** What the server says in a push. */
export interface Told {
  deviceId: string;
  signOnId: string;
}

export interface Shown {
  title: string;
  options: NotificationOptions;
  /** Null where the push could not be read, or tells of no sign-on. */
  told: Told | null;
}

interface Message {
  site?: { name?: unknown };
  sign_on_id?: unknown;
  device_id?: unknown;
  test?: unknown;
}

/** Whatever comes, something is shown: browsers end subscriptions whose pushes show nothing. */
export function notification(text: string, languages: readonly string[], icon: string): Shown {
  const message = read(text);
  const language = pick(languages);
  const t = NOTIFICATIONS[language];
  const site = typeof message.site?.name === 'string' ? message.site.name : null;
  const isTest = message.test === true;
  const told = typeof message.sign_on_id === 'string' && typeof message.device_id === 'string' && !isTest
    ? { signOnId: message.sign_on_id, deviceId: message.device_id }
    : null;
  return {
    title: site === null ? t.unknown : fill(isTest ? t.test : t.title, { site }),
    options: {
      body: site !== null && isTest ? t.testText : t.text,
      // Of one sign-on one notification, however often it is told.
      tag: told?.signOnId ?? 'axiam',
      lang: language,
      dir: language === 'ar' ? 'rtl' : 'ltr',
      icon,
      badge: icon,
      data: told,
    },
    told,
  };
}

// The app's own `pick` would bring the widget's texts along.
function pick(languages: readonly string[]): Language {
  const known = languages.map((tag) => tag.toLowerCase().split('-')[0] ?? '').find((tag) => Object.hasOwn(NOTIFICATIONS, tag));
  return (known ?? 'en') as Language;
}

function read(text: string): Message {
  try {
    const message: unknown = JSON.parse(text);
    return typeof message === 'object' && message !== null ? message : {};
  } catch {
    return {};
  }
}
