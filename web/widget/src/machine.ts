// What the widget can be in and what leads from one to the next. Pure: no clock, no network, no page.

/** What the page gets when the phone has verified the person; worth something only to the site's backend. */
export interface Verified {
  client_session_token: string;
  client_id: string;
  email: string;
  /** RFC 3339. */
  verified_at: string;
}

/** A request that waits on a phone. Times are milliseconds since 1970. */
export interface Request {
  email: string;
  verificationToken: string;
  /** Two digits to choose on the phone, or null where none is asked for. */
  number: number | null;
  sentAt: number;
  expiresAt: number;
}

/** Why something ended in `error`: it decides the sentence and the way back. */
export type Fault = 'api' | 'offline' | 'stale' | 'setup';

export type State =
  | { name: 'idle'; email: string; invalid: boolean }
  | { name: 'sending'; email: string }
  | { name: 'pending'; email: string; request: Request; scanning: boolean; retry: Retry | null; offline: boolean; slow: boolean }
  /** `asks`: the form waits until the person presses Continue. */
  | { name: 'verified'; email: string; verified: Verified; asks: boolean }
  | { name: 'submitted'; email: string; verified: Verified }
  | { name: 'failed'; email: string; message: string; code: number | null }
  | { name: 'denied'; email: string }
  | { name: 'expired'; email: string }
  | { name: 'noDevice'; email: string; message: string }
  | { name: 'error'; email: string; fault: Fault; message: string; code: number | null };

export type StateName = State['name'];

interface Retry {
  message: string;
  attemptsLeft: number | null;
}

/** A message of the cable, or what `login/status` says: the same words. */
export interface Message {
  status?: string;
  client_id?: string;
  email?: string;
  client_session_token?: string;
  verified_at?: string;
  code?: number;
  user_message?: string;
  attempts_left?: number;
}

export type Event =
  | { type: 'submit'; email: string }
  | { type: 'sent'; request: Request }
  | { type: 'refused'; fault: Fault; message: string; code: number | null }
  | { type: 'heard'; message: Message }
  | { type: 'gone' }
  | { type: 'connection'; up: boolean }
  | { type: 'slow' }
  | { type: 'ask' }
  | { type: 'submitted' }
  | { type: 'back' }
  | { type: 'again' }
  | { type: 'reset'; email?: string };

/** Codes that mean: this person cannot be asked. Widget tokens of newer servers never hear them. */
const NOBODY_TO_ASK = [1007, 1008, 1012];

/** What an e-mail address looks like from afar; the server decides. */
const ADDRESS = /^[^\s@]+@[^\s@]+$/;

export const idle = (email: string): State => ({ name: 'idle', email, invalid: false });

export const pending = (request: Request): State =>
  ({ name: 'pending', email: request.email, request, scanning: false, retry: null, offline: false, slow: false });

/** The next state, or the very same object where the event means nothing here. */
export function next(state: State, event: Event): State {
  switch (event.type) {
    case 'reset':
      return idle(event.email ?? state.email);
    case 'submit':
      return state.name === 'idle' ? submit(event.email.trim()) : state;
    case 'again':
      return state.name === 'failed' || state.name === 'expired' || state.name === 'error' ? submit(state.email) : state;
    case 'back':
      // Out of `verified` and `submitted` only `reset` leads: a form may be on its way.
      return ['pending', 'failed', 'denied', 'expired', 'noDevice', 'error'].includes(state.name) ? idle(state.email) : state;
    case 'sent':
      return state.name === 'sending' ? pending(event.request) : state;
    case 'refused':
      return state.name === 'sending' ? refused(state.email, event) : state;
    case 'ask':
      return state.name === 'verified' ? { ...state, asks: true } : state;
    case 'submitted':
      return state.name === 'verified' ? { name: 'submitted', email: state.email, verified: state.verified } : state;
    default:
      return state.name === 'pending' ? whilePending(state, event) : state;
  }
}

function submit(email: string): State {
  return ADDRESS.test(email) ? { name: 'sending', email } : { name: 'idle', email, invalid: true };
}

function refused(email: string, { fault, message, code }: Event & { type: 'refused' }): State {
  if (code !== null && NOBODY_TO_ASK.includes(code)) return { name: 'noDevice', email, message };
  return { name: 'error', email, fault, message, code };
}

type Pending = State & { name: 'pending' };

function whilePending(state: Pending, event: Event): State {
  switch (event.type) {
    case 'gone':
      return { name: 'expired', email: state.email };
    case 'connection':
      return state.offline === !event.up ? state : { ...state, offline: !event.up };
    case 'slow':
      return { ...state, slow: true };
    case 'heard':
      return hear(state, event.message);
    default:
      return state;
  }
}

function hear(state: Pending, message: Message): State {
  const { email } = state;
  switch (message.status) {
    case 'scanning':
      return state.scanning && !state.retry ? state : { ...state, scanning: true, retry: null };
    case 'retry': {
      const retry = { message: message.user_message ?? '', attemptsLeft: message.attempts_left ?? null };
      return { ...state, scanning: false, retry };
    }
    case 'verified':
      return verified(email, message);
    case 'failed':
      return { name: 'failed', email, message: message.user_message ?? '', code: message.code ?? null };
    case 'denied':
      return { name: 'denied', email };
    case 'expired':
      return { name: 'expired', email };
    default:
      return state;
  }
}

// Without a session token there is nothing left to redeem: it was, or its five minutes are over.
function verified(email: string, { client_session_token, client_id, email: proven, verified_at }: Message): State {
  if (!client_session_token || !client_id) return { name: 'expired', email };
  const found = { client_session_token, client_id, email: proven ?? email, verified_at: verified_at ?? '' };
  return { name: 'verified', email, verified: found, asks: false };
}
