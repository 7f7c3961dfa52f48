// Scans a QR code: by the browser's own detector, where there is none by qr-scanner's, in a worker.

import { html } from '../../../widget/src/dom.js';
import { CameraError, open, type Camera } from '../capture/camera.js';
import { decoder } from '../pairing/decoder.js';
import type { Context } from '../context.js';
import { readLink } from '../pairing/pairing.js';
import { button, paragraph } from '../view/view.js';
import { fill } from '../view/words.js';
import { offerPairing } from './pair.js';
import { failed, told } from './problem.js';

/** Milliseconds from one look to the next. */
const EVERY = 120;

/** Call it from a tap: it opens the camera at the back. */
export async function scanCode(context: Context): Promise<void> {
  const { t, view } = context;
  const video = html('video', { playsinline: true, autoplay: true, 'aria-hidden': 'true', tabindex: -1 });
  video.muted = true;
  let isOver = false;
  const hint = paragraph(t.codeText, 'sentence');
  view.show({
    name: 'code',
    title: t.codeTitle,
    isImmersive: true,
    leave: () => { isOver = true; },
    nodes: [
      html('div', { class: 'stage upright' }, video, html('div', { class: 'frame', 'aria-hidden': 'true' }),
        button('cancel', t.cancel, () => context.home())),
      html('div', { class: 'panel' }, hint),
    ],
  });
  let camera: Camera | null = null;
  try {
    camera = await open(video, 'environment', context.around.isInApp);
    camera.onEnd(() => {
      if (!isOver) failed(context, new CameraError('ended'), () => void scanCode(context));
    });
    const found = await look(video, () => isOver, () => {
      hint.textContent = t.codeUnknown;
      view.say(t.codeUnknown);
    }, context.routes.api.origin);
    camera.stop();
    if (isOver || !found) return;
    navigator.vibrate?.(30);
    if ('token' in found) offerPairing(context, found.token);
    else showElsewhere(context, found.elsewhere);
  } catch (error) {
    if (!isOver) failed(context, error, () => void scanCode(context));
  } finally {
    camera?.stop();
  }
}

async function look(video: HTMLVideoElement, isOver: () => boolean, unknown: () => void, origin: string): Promise<ReturnType<typeof readLink>> {
  const decode = await decoder();
  try {
    while (!isOver()) {
      const text = await decode.read(video);
      const link = text === null ? null : readLink(text, origin);
      if (link) return link;
      if (text !== null) unknown();
      await new Promise((resolve) => setTimeout(resolve, EVERY));
    }
    return null;
  } finally {
    decode.stop();
  }
}

// Opened by the person, after having seen the address, and never by itself.
function showElsewhere(context: Context, link: string): void {
  const { t } = context;
  const { host } = new URL(link);
  context.view.show(told('elsewhere', [t.codeElsewhere[0], fill(t.codeElsewhere[1], { host })], 'warning', [
    html('a', { class: 'button primary', href: link, rel: 'noreferrer' }, fill(t.codeOpen, { host })),
    button('', t.back, () => context.home()),
  ]));
}
