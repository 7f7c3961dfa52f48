// The site's backend: it holds the keys and talks to the backend routes.

import { data, multipart, request } from './http.mjs';
import { Phone } from './phone.mjs';

export class Site {
  /** `keys` is what `axiam site create --json` prints. */
  constructor(axiam, keys) {
    this.axiam = axiam;
    this.keys = keys;
    this.id = keys.site_id;
  }

  /** Any request under the API's root; `json` or `parts` make the body. Takes the site's token unless told. */
  send(method, route, { json, parts, body, type, token = this.token, headers = {}, careful } = {}) {
    const made = parts ? multipart(parts) : json === undefined ? { body, type } : { body: JSON.stringify(json), type: 'application/json' };
    return request(this.axiam.api + route, {
      method,
      careful,
      body: made.body,
      headers: {
        ...(made.type ? { 'content-type': made.type } : {}),
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...headers,
      },
    });
  }

  post(route, json, more = {}) {
    return this.send('POST', route, { json, ...more });
  }

  /** Exchanges the keys for a token and keeps it. */
  async authenticate(more = {}) {
    const { api_key, secret_key, domain } = this.keys;
    const reply = await this.post('/application_auth', { api_key, secret_key, domain, ...more }, { token: null });
    this.token = data(reply).authenticated_token;
    /** What this site's pages open the cable with. */
    this.pageToken = await this.widgetToken();
    return this.token;
  }

  /** A token that pages may see. */
  async widgetToken() {
    const { api_key, secret_key, domain } = this.keys;
    const reply = await this.post('/application_auth', { api_key, secret_key, domain, scope: 'widget' }, { token: null });
    return data(reply).authenticated_token;
  }

  async createClient(email, full_name = 'A Person') {
    return data(await this.post('/client/create', { email, full_name })).client_id;
  }

  async qrcode(id, flow_type = 'signup') {
    return data(await this.post('/client/qrcode', { id, flow_type }));
  }

  /** Asks for a sign-on; `from` is the person's address and browser. */
  async push(id, from = {}) {
    return data(await this.post('/login/push_notification', { id }, { headers: personAt(from) }));
  }

  async sendPush(email, more = {}) {
    return data(await this.post('/client/send_push', { email }, more));
  }

  validateSession(client_session_token, client_id) {
    return this.post('/login/validate_session', { client_session_token, client_id });
  }

  status(verification_token, more = {}) {
    return this.send('GET', `/login/status?verification_token=${encodeURIComponent(verification_token)}`, more);
  }

  /** A person of this site with a paired phone; with photos also an enrolled face. */
  async person(email, { photos } = {}) {
    const id = await this.createClient(email);
    const { enrollment_url } = await this.qrcode(id);
    const phone = await Phone.fromLink(enrollment_url);
    data(await phone.register());
    if (photos) data(await phone.enrol(photos));
    return { id, email, phone };
  }
}

export function personAt({ address, browser = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0' } = {}) {
  return { ...(address ? { 'x-forwarded-for': address } : {}), 'x-browser-user-agent': browser };
}
