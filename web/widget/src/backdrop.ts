// Whether the widget stands on a dark page: a light page stays light on a phone that prefers dark.

/** What is painted behind an element decides: the nearest background that can be seen, else the page's canvas. */
export function isDark(element: Element): boolean {
  for (let at: Element | null = element; at; at = at.parentElement) {
    const brightness = brightnessOf(getComputedStyle(at).backgroundColor);
    if (brightness !== null) return brightness < 0.5;
  }
  const scheme = getComputedStyle(document.documentElement).colorScheme;
  if (!scheme.includes('dark')) return false;
  return !scheme.includes('light') || prefersDark().matches;
}

export const prefersDark = (): MediaQueryList => matchMedia('(prefers-color-scheme: dark)');

// 0 to 1 by the weights of ITU-R BT.601; null for what is see-through, or written in a way not known here.
function brightnessOf(colour: string): number | null {
  const [r, g, b, alpha = 1] = /^rgba?\(/.test(colour) ? colour.match(/[\d.]+/g)!.map(Number) : [];
  if (r === undefined || g === undefined || b === undefined || alpha < 0.5) return null;
  return (0.299 * r + 0.587 * g + 0.114 * b) / 255;
}
