// What a page may set, and what becomes of it where it does not.

import type { StateName, Verified } from './machine.js';
import type { Texts } from './texts/index.js';

/**
 * `mode` follows the page's own background unless told. Colours are CSS colours, `radius` a CSS length, `font` a font
 * family, or `inherit` for the page's own.
 */
export interface Theme {
  mode?: 'light' | 'dark' | 'auto';
  accent?: string;
  onAccent?: string;
  ink?: string;
  quiet?: string;
  surface?: string;
  line?: string;
  radius?: string;
  font?: string;
}

export interface PendingInfo {
  email: string;
  number: number | null;
  expiresAt: Date;
}

export interface FailedInfo {
  email: string;
  /** The API's sentence for people. */
  message: string;
  code: number | null;
}

export interface Options {
  /** A widget-scope token, or a function that fetches one; it is asked again when the API says 1004 (expired). */
  authToken: string | (() => string | Promise<string>);
  /** Where the verified form is posted: a route of your own backend, which redeems the session token. */
  formAction: string;
  /** Accepted for pages written for older widgets; nothing needs it. */
  publicKey?: string;
  /** Element or selector to stand in; `#axiam-facial-login` unless told. */
  container?: string | Element;
  csrfToken?: string;
  /** The name of the field that carries `csrfToken`; `csrf_token` unless told. */
  csrfField?: string;
  email?: string;
  /** `en`, `vi`, `es`, `de` or `ar`; the page's own language unless told. */
  language?: string;
  /** Any of the widget's texts in your own words. */
  texts?: Partial<Texts>;
  theme?: Theme | 'light' | 'dark' | 'auto';
  buttonText?: string;
  /** Axiam's origin, or the API's root; where the script came from unless told. */
  apiBase?: string;
  cableUrl?: string;
  /** Milliseconds to wait for the phone; as long as the request lives unless told. */
  timeout?: number;
  /** Whether the form is posted by itself once verified; if not, the person presses Continue. */
  autoSubmit?: boolean;
  /** A page of yours that sets up a phone, after its own proof of who the person is. */
  enrolUrl?: string | ((email: string) => string);
  /** Tells the console what happens. Never prints a token. */
  debug?: boolean;

  onReady?(): void;
  onSubmit?(email: string): void;
  onPending?(info: PendingInfo): void;
  /** May return false (or a promise of it) to keep the form back. */
  onVerified?(verified: Verified): unknown;
  /** The form was posted, or kept back by `onVerified`. */
  onSuccess?(verified: Verified): void;
  /** The person said no on the phone. */
  onRejected?(email: string): void;
  onFailed?(info: FailedInfo): void;
  onTimeout?(email: string): void;
  /** The person has no phone that can be asked, or says so. */
  onNoDevice?(email: string): void;
  onError?(error: Error & { code?: number | null }, context: string): void;
  onStateChange?(state: StateName, previous: StateName): void;
}

export type Callback = Exclude<Extract<keyof Options, `on${string}`>, undefined>;

const API_PATH = '/api/v1/facial_sign_on';

export interface Addresses {
  api: string;
  cable: string;
}

/** The API's root and the cable's address, from what the page says and where it or the script stands. */
export function addresses({ apiBase, cableUrl }: Partial<Options>, origin: string): Addresses {
  const base = new URL(apiBase ?? origin, origin);
  const path = base.pathname.replace(/\/+$/, '');
  const cable = new URL(cableUrl ?? '/cable', base);
  cable.protocol = cable.protocol.replace('http', 'ws');
  return { api: base.origin + (path || API_PATH), cable: cable.href };
}

/** What is wrong with the options, for whoever writes the page; null where nothing is. */
export function problem(options: Partial<Options>, page: string): string | null {
  if (!options.authToken) return 'authToken is missing: a widget-scope token, or a function that fetches one.';
  if (!options.formAction) return 'formAction is missing: the address of your route that redeems the sign-on.';
  if (!isWeb(options.formAction, page)) return 'formAction must be an http or https address.';
  if (options.apiBase && !isWeb(options.apiBase, page)) return 'apiBase must be an http or https address.';
  if (options.cableUrl && !/^(ws|http)s?:$/.test(schemeOf(options.cableUrl, page))) return 'cableUrl must be a ws or wss address.';
  return null;
}

/** Whether an address, as a page writes it, is one of http or https. */
export const isWeb = (address: string, page: string): boolean => /^https?:$/.test(schemeOf(address, page));

function schemeOf(address: string, page: string): string {
  try {
    return new URL(address, page).protocol;
  } catch {
    return '';
  }
}

const TEXT_ATTRIBUTES = {
  'auth-token': 'authToken',
  'form-action': 'formAction',
  'public-key': 'publicKey',
  'csrf-token': 'csrfToken',
  'csrf-field': 'csrfField',
  email: 'email',
  language: 'language',
  'button-text': 'buttonText',
  'api-base': 'apiBase',
  'cable-url': 'cableUrl',
  'enrol-url': 'enrolUrl',
  theme: 'theme',
} as const;

/** The options that `<axiam-facial-login>` carries as attributes. */
export function fromAttributes(element: Element): Partial<Options> {
  const found: Record<string, unknown> = {};
  for (const [attribute, option] of Object.entries(TEXT_ATTRIBUTES)) {
    const value = element.getAttribute(attribute);
    if (value !== null) found[option] = value;
  }
  if (element.hasAttribute('timeout')) found.timeout = Number(element.getAttribute('timeout'));
  if (element.hasAttribute('auto-submit')) found.autoSubmit = element.getAttribute('auto-submit') !== 'false';
  if (element.hasAttribute('debug')) found.debug = element.getAttribute('debug') !== 'false';
  return found;
}
