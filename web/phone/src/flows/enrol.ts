// Consent, then the face: nothing is captured before the person has agreed to the text that is in force.

import { html } from '../../../widget/src/dom.js';
import { Refused } from '../server/api.js';
import type { Context } from '../context.js';
import type { Pairing } from '../pairing/vault.js';
import { actions, button, paragraph } from '../view/view.js';
import { fill } from '../view/words.js';
import { capture } from './capture.js';
import { checking } from './checking.js';
import { failed, told } from './problem.js';

/** Asks for consent to the text in force, and goes on to the face. */
export async function enrol(context: Context, pairing: Pairing): Promise<void> {
  const isHere = checking(context, context.t.enrolTitle);
  try {
    const own = await context.routes.own(pairing);
    Object.assign(pairing, { consent: own.consent, faceEnrolled: own.face_enrolled });
    await context.keep(pairing);
  } catch (error) {
    if (isHere()) failed(context, error, () => void enrol(context, pairing));
    return;
  }
  if (isHere()) askConsent(context, pairing);
}

/** The text that came with the pairing, without asking for it again. */
export function askConsent(context: Context, pairing: Pairing): void {
  const { t } = context;
  const { text, version } = pairing.consent;
  // It comes while the person reads.
  void context.engine.prepare();
  context.view.show({
    name: 'consent',
    title: t.consentTitle,
    nodes: [
      html('p', { class: 'quiet' }, pairing.site.name),
      paragraph(text, 'card consent'),
      html('p', { class: 'quiet small' }, fill(t.consentVersion, { version })),
      paragraph(t.enrolText),
      actions(
        button('primary', t.agree, () => void scan(context, pairing)),
        button('', t.notNow, () => context.home())),
    ],
  });
}

async function scan(context: Context, pairing: Pairing): Promise<void> {
  const { t, routes } = context;
  let isHere = (): boolean => true;
  try {
    const captured = await capture(context, () => routes.enrolmentChallenge(pairing));
    // Whatever else was shown meanwhile stays.
    if (!captured) return context.view.screen === 'capture' ? context.home() : undefined;
    isHere = checking(context);
    await routes.enrol(pairing, captured.challenge.nonce, pairing.consent.version, captured.photos);
    pairing.faceEnrolled = true;
    await context.keep(pairing);
    if (!isHere()) return;
    navigator.vibrate?.(60);
    context.view.show(told('enrolled', [t.enrolled[0], fill(t.enrolled[1], { site: pairing.site.name })], 'good',
      [button('primary', t.done, () => context.home())]));
  } catch (error) {
    if (!isHere()) return;
    // The text may be another by now: it is asked for anew.
    const isOutdated = error instanceof Refused && error.details.field === 'consent_version';
    failed(context, error, () => void (isOutdated ? enrol(context, pairing) : scan(context, pairing)));
  }
}
