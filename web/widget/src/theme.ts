// A page's own colours, as a style sheet over the tokens. Values that are no colour or length are left out.

import type { Theme } from './options.js';

const PROPERTIES: Record<Exclude<keyof Theme, 'mode'>, [tokens: string[], checkedAs: string]> = {
  accent: [['accent', 'accent-hover'], 'color'],
  onAccent: [['on-accent'], 'color'],
  ink: [['ink'], 'color'],
  quiet: [['quiet'], 'color'],
  surface: [['surface'], 'color'],
  line: [['line', 'edge'], 'color'],
  radius: [['radius'], 'border-radius'],
  font: [['font'], 'font-family'],
};

/** The sheet of a theme; `inherited` is the font of the page around the widget. */
export function themeSheet(theme: Theme, inherited: string): CSSStyleSheet {
  const lines: string[] = [];
  for (const [name, [tokens, checkedAs]] of Object.entries(PROPERTIES)) {
    const wanted = theme[name as keyof Theme];
    const value = name === 'font' && wanted === 'inherit' ? inherited : wanted;
    // `supports` takes one value and no way out of the declaration.
    if (!value || /[;{}]/.test(value) || !CSS.supports(checkedAs, value)) continue;
    lines.push(...tokens.map((token) => `--axiam-${token}: ${value};`));
  }
  const sheet = new CSSStyleSheet();
  // As specific as the tokens of light and dark, and after them.
  sheet.replaceSync(`:host([data-theme]) { ${lines.join(' ')} }`);
  return sheet;
}
