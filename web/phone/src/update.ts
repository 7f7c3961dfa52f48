// The service worker: it keeps the shell for when there is no network, and brings in new versions between two tasks.

import type { View } from './view/view.js';

const SCRIPT = '/phone/sw.js';
/** Screens on which nothing is under way: a new version may take over there. */
const IDLE = ['home', 'welcome'];

export function keepCurrent(view: View): void {
  const container = navigator.serviceWorker;
  if (!container) return;
  const hadOne = container.controller !== null;
  let isOutdated = false;
  // Another tab may have let the new version in while somebody poses in this one.
  const renew = (): void => {
    if (!isOutdated || !IDLE.includes(view.screen)) return;
    isOutdated = false;
    location.reload();
  };
  container.addEventListener('controllerchange', () => {
    isOutdated = hadOne;
    renew();
  });
  view.onShow(renew);
  void container.register(SCRIPT, { scope: '/phone/', updateViaCache: 'none' }).then((registration) => {
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState !== 'visible' || !IDLE.includes(view.screen)) return;
      registration.waiting?.postMessage('take over');
      // Without a network there is nothing newer to be had.
      void registration.update().catch(() => {});
    });
  }).catch((error: unknown) => console.warn('no service worker', error));
}
