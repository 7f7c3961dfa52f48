// A relying site for browser tests, at an origin of its own: pages that take the widget from the program, a route
// for its token, and the route that redeems.

import http from 'node:http';

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
    this.server = http.createServer((request, response) => {
      this.#answer(request, response).catch((error) => { response.statusCode = 502; response.end(String(error)); });
    });
  }

  /**
   * Adds a page and returns its address. `script` runs in it once the widget's script is there (a file of its own,
   * so that no inline script is needed); `body` and `css` surround the widget, `csp` is its policy.
   */
  page(name, { body = '<div id="axiam-facial-login"></div>', script = '', css = '', csp, lang = 'en', widget = true } = {}) {
    const tags = [widget && `<script src="${this.widget('js')}"></script>`, `<script src="/${name}.js"></script>`];
    const html = `<!doctype html><html lang="${lang}"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
      <title>Sign in</title>${css && `<link rel="stylesheet" href="/${name}.css">`}<link rel="icon" href="data:,">
      <main><h1>Shop</h1>${body}</main>${tags.filter(Boolean).join('')}`;
    this.pages.set(`/${name}`, { type: 'text/html', text: html, csp });
    this.pages.set(`/${name}.js`, { type: 'text/javascript', text: script });
    this.pages.set(`/${name}.css`, { type: 'text/css', text: css });
    return `${this.url}/${name}`;
  }

  /** The program's own address of the widget's `js` or `css`. */
  widget(extension) {
    return `${this.axiam.url}/widget/facial-login.${extension}`;
  }

  /** Adds any other file and returns its path. */
  file(name, text, type = 'text/javascript') {
    this.pages.set(`/${name}`, { type, text });
    return `/${name}`;
  }

  async stop() {
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
    if (pathname === '/token') return send('text/plain', this.tokens.shift() ?? await this.site.widgetToken());
    if (pathname === '/login' && request.method === 'POST') return this.#redeem(request, send);
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
}
