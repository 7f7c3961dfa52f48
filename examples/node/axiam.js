// What this site's backend asks of Axiam: a token for its page, and who signed on.

const { AXIAM_URL = 'http://127.0.0.1:3000', AXIAM_API_KEY, AXIAM_SECRET_KEY } = process.env;

/** The API said no. `message` is a sentence that a page may show, `code` is the API's. */
export class Refused extends Error {
  constructor({ user_message, code }) {
    super(user_message);
    this.code = code;
  }
}

async function call(route, body, token) {
  const reply = await fetch(`${AXIAM_URL}/api/v1/facial_sign_on${route}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...(token && { Authorization: `Bearer ${token}` }) },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(10_000),
  });
  const answer = await reply.json();
  if (!answer.success) throw new Refused(answer);
  return answer.data;
}

const authenticate = (scope) =>
  call('/application_auth', { api_key: AXIAM_API_KEY, secret_key: AXIAM_SECRET_KEY, scope });

// The site's token lasts for 30 days: one is asked for and kept.
let kept = null;

async function siteToken() {
  if (!kept || kept.until < Date.now()) {
    const { authenticated_token, expires_in } = await authenticate('site');
    kept = { token: authenticated_token, until: Date.now() + (expires_in - 60) * 1000 };
  }
  return kept.token;
}

/** Calls a route with the site's token; one that is no longer good is replaced, once. */
export async function post(route, body) {
  try {
    return await call(route, body, await siteToken());
  } catch (error) {
    if (![1003, 1004, 1005].includes(error.code)) throw error;
    kept = null;
    return call(route, body, await siteToken());
  }
}

/** A token that a page may hold: good for ten minutes, and for nothing but the widget. */
export const widgetToken = async () => (await authenticate('widget')).authenticated_token;

/** Who signed on: {client_id, email, …}. Each proof is good once, for this site only. */
export const redeem = (client_session_token, client_id) =>
  post('/login/validate_session', { client_session_token, client_id });
