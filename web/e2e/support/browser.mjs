// A real Chromium, without any of the network traffic it makes by itself.

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';

import { chromium } from 'playwright-core';
import puppeteer from 'puppeteer-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];
const ELSEWHERE = ['/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'];

const QUIET = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
];

/** Where a program is; undefined where nowhere. */
function onPath(name) {
  try {
    return execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim();
  } catch {
    return undefined;
  }
}

function program() {
  if (process.env.AXIAM_TEST_CHROMIUM) return process.env.AXIAM_TEST_CHROMIUM;
  const found = NAMES.map(onPath).find(Boolean) ?? ELSEWHERE.find((place) => fs.existsSync(place));
  if (!found) throw new Error("no Chromium: run scripts/install-services, or name the program in AXIAM_TEST_CHROMIUM");
  return found;
}

/** Starts a browser; close it when done. `args` are further switches, such as those for a false camera. */
export function openBrowser({ args = [] } = {}) {
  return chromium.launch({ executablePath: program(), args: [...QUIET, ...args] });
}

/** The same with a profile of its own, without which Chromium takes no pushes; its only context, to be closed when done. `options` are the context's. */
export function openProfile({ args = [], options = {} } = {}) {
  // No name: Playwright makes a folder and removes it.
  return chromium.launchPersistentContext('', { executablePath: program(), args: [...QUIET, ...args], ...options });
}

/** Debian's Firefox, driven by the standard protocol (WebDriver BiDi); a sentence where there is none. */
export const NO_FIREFOX = onPath('firefox-esr') ?? onPath('firefox') ? false : 'firefox-esr is not installed';

/** Starts Firefox; close it when done. `preferences` are further ones of its settings. */
export function openFirefox({ preferences = {} } = {}) {
  const executablePath = onPath('firefox-esr') ?? onPath('firefox');
  return puppeteer.launch({ browser: 'firefox', executablePath, headless: true, extraPrefsFirefox: preferences });
}

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** What axe finds on a page that is serious or worse: one line each, with the elements. `rules` are those to look by, all if none. */
export async function seriousFaults(page, rules = null) {
  // Through the debugger: the page's own CSP allows no foreign script.
  if (!await page.evaluate(() => 'axe' in globalThis)) await page.evaluate(fs.readFileSync(AXE, 'utf8'));
  const how = { resultTypes: ['violations'], ...(rules ? { runOnly: rules } : {}) };
  const { violations } = await page.evaluate((options) => globalThis.axe.run(options), how);
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ target, any }) => `${target.flat(2).join(' ')} (${any[0]?.message})`).join('; ')}`);
}

/** By how much the most different pixel of two PNGs of one size differs in its worst colour, 0 to 255. */
export async function worstDifference(browser, one, other) {
  const page = await browser.newPage();
  const worst = await page.evaluate(async (pictures) => {
    const [a, b] = await Promise.all(pictures.map(async (base64) => {
      const picture = new Image();
      picture.src = `data:image/png;base64,${base64}`;
      await picture.decode();
      const canvas = new OffscreenCanvas(picture.width, picture.height);
      const context = canvas.getContext('2d');
      context.drawImage(picture, 0, 0);
      return context.getImageData(0, 0, picture.width, picture.height).data;
    }));
    return a.length === b.length ? a.reduce((most, value, at) => Math.max(most, Math.abs(value - b[at])), 0) : 255;
  }, [one, other].map((png) => png.toString('base64')));
  await page.close();
  return worst;
}
