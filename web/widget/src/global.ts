// The script of a <script> tag: the element, and the one global, however often it is loaded.

import { define, origin } from './element.js';
import { init } from './index.js';

declare global {
  var AxiamFacialLogin: { init: typeof init } | undefined;
}

const script = document.currentScript;
if (script instanceof HTMLScriptElement && script.src) origin.ofScript = new URL(script.src).origin;
globalThis.AxiamFacialLogin ??= { init };
define();
