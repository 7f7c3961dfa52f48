// The service worker of the phone app. It keeps the shell, whose files never change under their names, so that the app opens
// without a network, and shows what pushes tell. What the server answers to the app's calls is never kept.

import { Api } from './server/api.js';
import { notification, type Told } from './waking/notification.js';
import { Routes } from './server/routes.js';
import { subscribe, tell } from './waking/subscription.js';
import { Vault } from './pairing/vault.js';

/** Addresses of the shell, the name of this version and the icon of notifications; the bundler puts them in. */
declare const SHELL: string[];
declare const VERSION: string;
declare const ICON: string;

interface Waiting extends Event {
  waitUntil(work: Promise<unknown>): void;
}

interface Fetching extends Event {
  request: Request;
  respondWith(response: Promise<Response>): void;
}

interface Pushed extends Waiting {
  data: { text(): string } | null;
}

interface Clicked extends Waiting {
  notification: Notification & { data: Told | null };
}

interface Window {
  url: string;
  focus(): Promise<unknown>;
  postMessage(message: string): void;
}

// The DOM's own types know pages, not workers.
interface Worker {
  skipWaiting(): Promise<void>;
  registration: ServiceWorkerRegistration;
  clients: {
    claim(): Promise<void>;
    matchAll(which: { type: 'window'; includeUncontrolled: boolean }): Promise<Window[]>;
    openWindow(url: string): Promise<unknown>;
  };
  addEventListener(type: 'install' | 'activate', told: (event: Waiting) => void): void;
  addEventListener(type: 'fetch', told: (event: Fetching) => void): void;
  addEventListener(type: 'push', told: (event: Pushed) => void): void;
  addEventListener(type: 'notificationclick', told: (event: Clicked) => void): void;
  addEventListener(type: 'pushsubscriptionchange', told: (event: Waiting) => void): void;
  addEventListener(type: 'message', told: (event: MessageEvent) => void): void;
}

const worker = globalThis as unknown as Worker;
const PREFIX = 'axiam-phone-';
const PAGE = '/phone/';

worker.addEventListener('install', (event) => event.waitUntil(install()));
worker.addEventListener('activate', (event) => event.waitUntil(activate()));
worker.addEventListener('message', ({ data }) => { if (data === 'take over') void worker.skipWaiting(); });
worker.addEventListener('push', (event) => event.waitUntil(show(event.data?.text() ?? '')));
worker.addEventListener('notificationclick', (event) => event.waitUntil(open(event.notification)));
worker.addEventListener('pushsubscriptionchange', (event) => event.waitUntil(subscribeAnew()));
worker.addEventListener('fetch', (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== 'GET' || origin !== location.origin) return;
  if (request.mode === 'navigate' ? pathname === PAGE : SHELL.includes(pathname)) event.respondWith(answer(request, pathname));
});

async function install(): Promise<void> {
  const cache = await caches.open(PREFIX + VERSION);
  // The page itself is asked for anew, whatever the browser kept of it.
  await cache.addAll(SHELL.map((path) => new Request(path, { cache: path === PAGE ? 'reload' : 'default' })));
}

async function activate(): Promise<void> {
  for (const name of await caches.keys()) if (name.startsWith(PREFIX) && name !== PREFIX + VERSION) await caches.delete(name);
  await worker.clients.claim();
}

async function answer(request: Request, pathname: string): Promise<Response> {
  const kept = await caches.open(PREFIX + VERSION).then((cache) => cache.match(pathname));
  return kept ?? fetch(request);
}

const routes = (): Routes => new Routes(new Api(location.origin));

async function show(text: string): Promise<void> {
  const { title, options, told } = notification(text, navigator.languages, ICON);
  await worker.registration.showNotification(title, options);
  if (told) await report(told, false);
}

async function open(shown: Clicked['notification']): Promise<void> {
  shown.close();
  const windows = await worker.clients.matchAll({ type: 'window', includeUncontrolled: true });
  const app = windows.find(({ url }) => new URL(url).pathname === PAGE);
  if (app) {
    app.postMessage('inbox');
    // Refused where no tap led here.
    await app.focus().catch(() => {});
  } else {
    await worker.clients.openWindow(PAGE);
  }
  if (shown.data) await report(shown.data, true);
}

/** Says to the server what became of a push; where that fails the sign-on goes on all the same. */
async function report({ deviceId, signOnId }: Told, opened: boolean): Promise<void> {
  try {
    const vault = await Vault.open();
    const pairing = (await vault.paired()).find((one) => one.deviceId === deviceId);
    if (pairing) await routes().shown(pairing, signOnId, opened);
  } catch (error) {
    console.warn('the server was not told of a notification', error);
  }
}

/** The browser ended the subscription: another is made, for those sites that were told of the one before. */
async function subscribeAnew(): Promise<void> {
  const vault = await Vault.open();
  for (const pairing of await vault.paired()) {
    if (!pairing.pushed || pairing.lost) continue;
    try {
      const { web_push_key: key } = await routes().own(pairing);
      await tell(routes(), pairing, await subscribe(worker.registration, key), key);
      await vault.put(pairing);
    } catch (error) {
      // The other sites are to wake this phone all the same; the app sees to this one when it is opened.
      console.warn('a site cannot wake this phone', error);
    }
  }
}
