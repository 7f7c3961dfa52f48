// What the routes take and give, by name.

import type { Api } from './api.js';
import { answerForm, type Photo } from './form.js';
import type { Consent, Draft, Pairing } from '../pairing/vault.js';

export type Action = 'look_straight' | 'turn_left' | 'turn_right' | 'look_up' | 'blink' | 'open_mouth' | 'come_closer';

export interface Challenge {
  nonce: string;
  /** Seconds. */
  expires_in: number;
  liveness: 'off' | 'passive' | 'active';
  steps: { id: string; action: Action }[];
}

/** A sign-on that waits. */
export interface SignOn {
  sign_on_id: string;
  site: { name: string; domain: string };
  browser: string | null;
  os: string | null;
  place: string | null;
  requested_at: string;
  expires_at: string;
  /** null: no number is asked for. Of a few choices one is picked, otherwise it is typed. */
  number: null | { choices?: number[] };
}

/** A sign-on that is over. */
export interface PastSignOn {
  sign_on_id: string;
  verdict: 'verified' | 'failed' | 'denied' | 'expired' | 'cancelled';
  browser: string | null;
  os: string | null;
  place: string | null;
  requested_at: string;
  /** The phone that answered. */
  device_id: string | null;
}

/** How far a phone is trusted: one that waits is asked nothing until another phone or the site confirms it. */
export type Standing = 'trusted' | 'on_trial' | 'waiting';

export interface Device {
  device_id: string;
  name: string;
  platform: string;
  created_at: string;
  last_seen_at: string;
  this: boolean;
  standing: Standing;
}

export interface Own {
  devices: Device[];
  face_enrolled: boolean;
  consent: Consent;
  liveness: Challenge['liveness'];
  /** How the server wakes this phone. */
  push: PushAddress['kind'];
  /** What a browser subscribes for, base64url. */
  web_push_key: string;
}

/** How a phone is woken. */
export type PushAddress = { kind: 'none' } | { kind: 'web_push'; subscription: PushSubscriptionJSON; key: string };

export interface Registered {
  device_id: string;
  client_id: string;
  device_token: string;
  site: { name: string; domain: string };
  consent: Consent;
  face_enrolled: boolean;
  standing: Standing;
}

export interface Erased {
  erased: { face_references: number; devices: number; sign_ons: number };
  receipt: string;
}

export class Routes {
  constructor(readonly api: Api) {}

  async register(key: Draft, enrollmentToken: string, name: string, without: Action[]): Promise<Registered> {
    const json = {
      enrollment_token: enrollmentToken, name, platform: 'web', push: { kind: 'none' },
      ...(without.length ? { without } : {}),
    };
    return await this.api.call(key, 'POST', '/device/register', { json }) as Registered;
  }

  async own(pairing: Pairing): Promise<Own> {
    return await this.api.call(pairing, 'GET', '/device') as Own;
  }

  async setPush(pairing: Pairing, push: PushAddress): Promise<void> {
    await this.api.call(pairing, 'POST', '/device/push', { json: { push } });
  }

  /** A notification of a sign-on was shown, or the person opened it. */
  async shown(pairing: Pairing, signOnId: string, opened: boolean): Promise<void> {
    await this.api.call(pairing, 'POST', '/login/shown', { json: { sign_on_id: signOnId, opened } });
  }

  async confirm(pairing: Pairing, deviceId: string): Promise<void> {
    await this.api.call(pairing, 'POST', `/device/${deviceId}/confirm`, { json: {} });
  }

  async unpair(pairing: Pairing, deviceId: string): Promise<void> {
    await this.api.call(pairing, 'DELETE', `/device/${deviceId}`);
  }

  async erase(pairing: Pairing): Promise<Erased> {
    return await this.api.call(pairing, 'DELETE', '/client', { json: {} }) as Erased;
  }

  async enrolmentChallenge(pairing: Pairing): Promise<Challenge> {
    return await this.api.call(pairing, 'POST', '/device/challenge', { json: {} }) as Challenge;
  }

  async enrol(pairing: Pairing, nonce: string, consentVersion: string, photos: Photo[]): Promise<void> {
    const form = answerForm({ nonce, consent_version: consentVersion }, photos);
    await this.api.call(pairing, 'POST', '/device/facial', { form });
  }

  async pending(pairing: Pairing): Promise<SignOn[]> {
    const { sign_ons } = await this.api.call(pairing, 'GET', '/login/pending') as { sign_ons: SignOn[] };
    return sign_ons;
  }

  /** The latest that are over, the newest first. */
  async recent(pairing: Pairing): Promise<PastSignOn[]> {
    const { sign_ons } = await this.api.call(pairing, 'GET', '/login/recent') as { sign_ons: PastSignOn[] };
    return sign_ons;
  }

  async challenge(pairing: Pairing, signOnId: string): Promise<Challenge> {
    return await this.api.call(pairing, 'POST', '/login/challenge', { json: { sign_on_id: signOnId } }) as Challenge;
  }

  async verify(pairing: Pairing, signOnId: string, nonce: string, number: number | null, photos: Photo[]): Promise<void> {
    const form = answerForm({ sign_on_id: signOnId, nonce, number }, photos);
    await this.api.call(pairing, 'POST', '/login/verify_token', { form });
  }

  async deny(pairing: Pairing, signOnId: string, report: boolean): Promise<void> {
    await this.api.call(pairing, 'POST', '/login/deny', { json: { sign_on_id: signOnId, report } });
  }
}
