// The service worker of the phone app. It keeps the shell, whose files never change under their names, so that the app opens
// without a network. What the server answers to the app's calls is never kept.

/** Addresses of the shell and the name of this version; the bundler puts them in. */
declare const SHELL: string[];
declare const VERSION: string;

interface Waiting extends Event {
  waitUntil(work: Promise<unknown>): void;
}

interface Fetching extends Event {
  request: Request;
  respondWith(response: Promise<Response>): void;
}

// The DOM's own types know pages, not workers.
interface Worker {
  skipWaiting(): Promise<void>;
  clients: { claim(): Promise<void> };
  addEventListener(type: 'install' | 'activate', told: (event: Waiting) => void): void;
  addEventListener(type: 'fetch', told: (event: Fetching) => void): void;
  addEventListener(type: 'message', told: (event: MessageEvent) => void): void;
}

const worker = globalThis as unknown as Worker;
const PREFIX = 'axiam-phone-';
const PAGE = '/phone/';

worker.addEventListener('install', (event) => event.waitUntil(install()));
worker.addEventListener('activate', (event) => event.waitUntil(activate()));
worker.addEventListener('message', ({ data }) => { if (data === 'take over') void worker.skipWaiting(); });
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
