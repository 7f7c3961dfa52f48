// The tokens keep what web/style/tokens.css promises: contrast in light and dark, and one dark for both ways to it.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const css = fs.readFileSync(path.join(here, 'tokens.css'), 'utf8');

type Tokens = Map<string, string>;

/** The custom properties of the first block after `selector`. */
function block(selector: string): Tokens {
  const at = css.indexOf(selector);
  assert.ok(at >= 0, `no ${selector} in tokens.css`);
  const open = css.indexOf('{', at);
  const body = css.slice(open + 1, css.indexOf('}', open));
  return new Map([...body.matchAll(/--axiam-([\w-]+):\s*([^;]+);/g)].map((match) => [match[1]!, match[2]!]));
}

const light = block(':root,\n:host');
const dark = block(':root[data-theme="dark"]');
const preferred = block(':root:not([data-theme="light"])');

/** Relative luminance (WCAG 2.2, definition of "relative luminance"). */
function luminance(hex: string): number {
  assert.match(hex, /^#[0-9a-f]{6}$/);
  const [r, g, b] = [1, 3, 5].map((at) => {
    const value = parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

function contrast(one: string, other: string): number {
  const [bright, dim] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (bright! + 0.05) / (dim! + 0.05);
}

const GROUNDS = ['ground', 'surface', 'raised'];
const TEXT = ['ink', 'quiet', 'accent', 'accent-hover', 'good', 'warn', 'bad'];
const FILLED: [string, string][] = [['on-accent', 'accent'], ['on-accent', 'accent-hover'], ['on-bad', 'bad']];

for (const [name, theme] of [['light', light], ['dark', dark]] as const) {
  describe(name, () => {
    const colour = (token: string): string => theme.get(token) ?? assert.fail(`--axiam-${token} is missing`);

    test('every text can be read: 4.5 to 1', () => {
      const pairs = [...TEXT.flatMap((text) => GROUNDS.map((ground) => [text, ground] as const)), ...FILLED];
      for (const [text, ground] of pairs) {
        const found = contrast(colour(text), colour(ground));
        assert.ok(found >= 4.5, `${text} on ${ground}: ${found.toFixed(2)}`);
      }
    });

    test('icons and the edges of controls can be seen: 3 to 1', () => {
      for (const [mark, ground] of [['faint', 'surface'], ['faint', 'raised'], ['edge', 'surface'], ['edge', 'ground']] as const) {
        const found = contrast(colour(mark), colour(ground));
        assert.ok(found >= 3, `${mark} on ${ground}: ${found.toFixed(2)}`);
      }
    });
  });
}

test('dark is the same whether the system or the page asks for it', () => {
  assert.deepEqual([...preferred], [...dark]);
});

test('every colour has a dark counterpart', () => {
  const colours = [...light].filter(([, value]) => value.includes('#') || value.includes('rgb')).map(([name]) => name);
  assert.deepEqual([...dark.keys()].sort(), colours.sort());
});

test('nothing else names a colour', () => {
  const root = path.resolve(here, '..');
  const sources = fs.readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.css') && !/node_modules|^build|dist/.test(file) && path.basename(file) !== 'tokens.css');
  assert.ok(sources.length > 0);
  for (const file of sources) {
    const text = fs.readFileSync(path.join(root, file), 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
    const found = text.match(/:[^;{}]*(#[0-9a-f]{3,8}\b|\brgba?\(|\bhsla?\()/i);
    assert.equal(found, null, `${file}: ${found?.[0]}`);
  }
});
