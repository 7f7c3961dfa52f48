// How long ago things were, while the page stays open. Counted from when it was shown: the clock here need not be the server's.

/** How often times are looked at, milliseconds. */
const EVERY = 5_000;

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Seconds away, as the server says it (`pages/dashboard/when.rs`); null where it says the day, which does not age. */
export function words(seconds: number): string | null {
  const away = Math.abs(seconds);
  if (away < 5) return 'now';
  const [count, unit] = away < MINUTE ? [away, 'second']
    : away < HOUR ? [Math.floor(away / MINUTE), 'minute']
      : away < DAY ? [Math.floor(away / HOUR), 'hour']
        : [Math.floor(away / DAY), 'day'];
  if (unit === 'day' && count > 60) return null;
  const said = `${count} ${unit}${count === 1 ? '' : 's'}`;
  return seconds >= 0 ? `${said} ago` : `in ${said}`;
}

/** When each was shown, by the clock here. */
const shown = new WeakMap<Element, number>();

/** Says of every time on the page how long ago it is by now; not while somebody selects what they want to copy. */
export function age(now: number): void {
  if (getSelection()?.isCollapsed === false) return;
  for (const time of document.querySelectorAll<HTMLElement>('time[data-ago]')) {
    const since = shown.get(time) ?? now;
    shown.set(time, since);
    const said = words(Number(time.dataset.ago) + Math.floor((now - since) / 1000));
    if (said && said !== time.textContent) time.textContent = said;
  }
}

/** Lets the times of the page age for as long as it is open. */
export function letTimesAge(): void {
  age(Date.now());
  setInterval(() => age(Date.now()), EVERY);
}
