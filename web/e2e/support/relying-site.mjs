// A relying site for browser tests: pages with the widget, a route for its token, and the route that redeems.
// Until the program serves the widget and answers other origins, this site also passes /api and /cable on to it.

import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';

import { REPOSITORY } from './axiam.mjs';

const BUILD = path.join(REPOSITORY, 'web/build');

export class RelyingSite {
  /** `axiam` is the program, `site` the keys' holder. */
  static async start(axiam, site) {
    const relying = new RelyingSite(axiam, site);
    await new Promise((resolve) => relying.server.listen(0, '127.0.0.1', resolve));
    relying.url = `http://127.0.0.1:${relying.server.address().port}`;
    return relying;
  }

  constructor(axiam, site) {
    this.axiam = axiam;
    this.site = site;
    this.pages = new Map();
    this.posts = [];
    // What /token answers; a test may put an old one here.
    this.tokens = [];
    this.sockets = new Set();
    this.manifest = JSON.parse(fs.readFileSync(path.join(BUILD, 'manifest.json'), 'utf8'));
    this.server = http.createServer((request, response) => {
      this.#answer(request, response).catch((error) => { response.statusCode = 502; response.end(String(error)); });
    });
    this.server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
  }

  /**
   * Adds a page and returns its address. `script` runs in it once the widget's script is there (a file of its own,
   * so that no inline script is needed); `body` and `css` surround the widget, `csp` is its policy.
   */
  page(name, { body = '<div id="axiam-facial-login"></div>', script = '', css = '', csp, lang = 'en', widget = true } = {}) {
    const tags = [widget && '<script src="/widget/facial-login.js"></script>', `<script src="/${name}.js"></script>`];
    const html = `<!doctype html><html lang="${lang}"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
      <title>Sign in</title>${css && `<link rel="stylesheet" href="/${name}.css">`}<link rel="icon" href="data:,">
      <main><h1>Shop</h1>${body}</main>${tags.filter(Boolean).join('')}`;
    this.pages.set(`/${name}`, { type: 'text/html', text: html, csp });
    this.pages.set(`/${name}.js`, { type: 'text/javascript', text: script });
    this.pages.set(`/${name}.css`, { type: 'text/css', text: css });
    return `${this.url}/${name}`;
  }

  /** Adds any other file and returns its path. */
  file(name, text, type = 'text/javascript') {
    this.pages.set(`/${name}`, { type, text });
    return `/${name}`;
  }

  async stop() {
    this.sockets.forEach((socket) => socket.destroy());
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  async #answer(request, response) {
    const { pathname } = new URL(request.url, this.url);
    const send = (type, text, headers = {}) => {
      response.writeHead(200, { 'content-type': type, ...headers });
      response.end(text);
    };
    const page = this.pages.get(pathname);
    if (page) return send(page.type, page.text, page.csp ? { 'content-security-policy': page.csp } : {});
    if (pathname.startsWith('/widget/')) {
      const { file, type } = this.manifest[pathname.slice(1)];
      return send(type, fs.readFileSync(path.join(BUILD, file)));
    }
    if (pathname === '/token') return send('text/plain', this.tokens.shift() ?? await this.site.widgetToken());
    if (pathname === '/login' && request.method === 'POST') return this.#redeem(request, send);
    if (pathname.startsWith('/api/')) return this.#pass(request, response);
    response.writeHead(404).end();
  }

  // The one place where a person is signed in: the proof is redeemed, nothing else is believed.
  async #redeem(request, send) {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const fields = Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString()));
    const redeemed = await this.site.validateSession(fields.client_session_token, fields.client_id);
    this.posts.push({ fields, redeemed: redeemed.json });
    const who = redeemed.json?.data?.email;
    send('text/html', `<!doctype html><html lang="en"><title>Account</title><link rel="icon" href="data:,"><main><h1>${who ? `Hello ${who}` : 'Not signed in'}</h1></main>`);
  }

  #pass(request, response) {
    const target = new URL(request.url, this.axiam.url);
    return new Promise((resolve) => {
      const onward = http.request(target, { method: request.method, headers: request.headers, agent: false }, (answer) => {
        response.writeHead(answer.statusCode, answer.headers);
        answer.pipe(response).on('finish', resolve);
      });
      onward.on('error', () => { response.destroy(); resolve(); });
      request.pipe(onward);
    });
  }

  #upgrade(request, socket, head) {
    const onward = net.connect(this.axiam.port, '127.0.0.1', () => {
      const lines = [];
      for (let at = 0; at < request.rawHeaders.length; at += 2) lines.push(`${request.rawHeaders[at]}: ${request.rawHeaders[at + 1]}`);
      onward.write(`GET ${request.url} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
      onward.write(head);
      onward.pipe(socket).pipe(onward);
    });
    for (const end of [socket, onward]) {
      this.sockets.add(end);
      end.on('close', () => { this.sockets.delete(end); socket.destroy(); onward.destroy(); });
      end.on('error', () => end.destroy());
    }
  }
}
