// Looks at a page as people have it before them. With AXIAM_TEST_SHOTS=folder it leaves pictures there, to be looked at.

import assert from 'node:assert/strict';
import path from 'node:path';

import { seriousFaults } from './browser.mjs';

export const SHOTS = process.env.AXIAM_TEST_SHOTS;

/** A phone in the dark, and a desk by daylight; pictures are taken of all four. */
const LOOKS = [
  { width: 360, height: 740, scheme: 'dark', axe: true },
  { width: 1280, height: 800, scheme: 'light', axe: true },
  { width: 360, height: 740, scheme: 'light' },
  { width: 1280, height: 800, scheme: 'dark' },
];

/** Leaves a picture of the page that is open, where pictures are wanted. */
export async function shoot(page, name) {
  if (SHOTS) await page.screenshot({ path: path.join(SHOTS, `${name}.png`), fullPage: true });
}

/** Looks at the page that is open, in every look, and says what is wrong with it. */
export async function look(page, name) {
  for (const { width, height, scheme, axe } of LOOKS) {
    if (!axe && !SHOTS) continue;
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme: scheme });
    const as = `${name}-${width}-${scheme}`;
    await shoot(page, as);
    if (axe) assert.deepEqual(await seriousFaults(page), [], as);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= width, `${as} is ${wide} wide`);
  }
  assert.equal(await page.locator('h1').count(), 1, name);
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.emulateMedia({ colorScheme: 'light' });
}
