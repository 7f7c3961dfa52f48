// Something did not work: what, why, and the way on.

import { html } from '../../../widget/src/dom.js';
import { CameraError, type CameraProblem } from '../capture/camera.js';
import type { Context } from '../context.js';
import { glyph } from '../view/drawings.js';
import type { Told } from '../texts/index.js';
import { actions, button, paragraph, type Screen } from '../view/view.js';
import { explain, fill } from '../view/words.js';

/** A screen with a drawing, a title, a sentence and ways on. */
export function told(name: string, [title, text]: Told, drawing: string, ways: (HTMLElement | null | false)[], more: Node[] = []): Screen {
  return { name, title, nodes: [glyph(drawing), paragraph(text, 'lead'), ...more, actions(...ways)] };
}

export const codeLine = (context: Context, code: number | null): HTMLElement | null =>
  code === null ? null : html('p', { class: 'quiet small' }, fill(context.t.code, { code }));

/** What failed and how to go on; `again` is left out where trying again cannot help. */
export function failed(context: Context, error: unknown, again: (() => void) | null): void {
  if (error instanceof CameraError) return cameraFailed(context, error.problem, again);
  const { t } = context;
  const { sentence, code } = explain(error, t);
  const line = codeLine(context, code);
  context.view.show(told('failed', [t.failedTitle, sentence], 'warning', [
    again && button('primary', t.tryAgain, again),
    button('', t.back, () => context.home()),
  ], line ? [line] : []));
}

/** Trying again helps with all but these. */
const HOPELESS: CameraProblem[] = ['insecure', 'none', 'inApp'];

function cameraFailed(context: Context, problem: CameraProblem, again: (() => void) | null): void {
  const { t } = context;
  const isHopeless = HOPELESS.includes(problem);
  context.view.show(told(`camera-${problem}`, t.camera[problem], 'camera', [
    !isHopeless && again && button('primary', t.cameraAgain, again),
    problem === 'inApp' && copyLink(context),
    button('', t.back, () => context.home()),
  ]));
}

/** Copies this page's address, with the code in it where there is one. */
export function copyLink({ t, view }: Pick<Context, 't' | 'view'>): HTMLButtonElement {
  const copying = button('primary', t.copyLink, () => {
    void navigator.clipboard?.writeText(location.href).then(() => {
      copying.textContent = t.copied;
      view.say(t.copied);
    }, () => { prompt(t.copyLink, location.href); });
  });
  return copying;
}
