// A site that signs people in with their face.

import crypto from 'node:crypto';
import express from 'express';
import session from 'express-session';

import { redeem, Refused, widgetToken } from './axiam.js';

const { AXIAM_URL = 'http://127.0.0.1:3000', PORT = 8000, SESSION_SECRET = crypto.randomUUID() } = process.env;

const app = express();
app.use(express.urlencoded({ extended: false }));
app.use(session({
  secret: SESSION_SECRET,
  resave: false,
  saveUninitialized: false,
  cookie: { httpOnly: true, sameSite: 'lax', secure: 'auto' },
}));

// Nothing but this site's own pages, and the widget from Axiam.
app.use((request, response, next) => {
  const cable = AXIAM_URL.replace(/^http/, 'ws');
  response.set('Content-Security-Policy', `default-src 'none'; script-src ${AXIAM_URL}; connect-src ${AXIAM_URL} ${cable}; `
    + "form-action 'self'; base-uri 'none'; frame-ancestors 'none'");
  next();
});

// Every form carries what only this visitor's own page was given.
const csrfToken = (request) => (request.session.csrf ??= crypto.randomUUID());
app.use((request, response, next) => {
  if (request.method !== 'POST' || (request.session.csrf && request.body?.csrf_token === request.session.csrf)) return next();
  response.status(403).send(page('Not allowed', '<p>This form is too old. <a href="/">Load the page again</a>.</p>'));
});

app.get('/', async (request, response) => {
  const csrf = csrfToken(request);
  const { email } = request.session;
  response.send(email
    ? page(`Hello ${email}`, `<form method="post" action="/logout">
        <input type="hidden" name="csrf_token" value="${csrf}"><button>Sign out</button></form>`)
    : page('Sign in', `<axiam-facial-login auth-token="${await widgetToken()}" form-action="/login" csrf-token="${csrf}">
        </axiam-facial-login><script src="${AXIAM_URL}/widget/facial-login.js" defer></script>`));
});

// The widget posts here once the phone has verified the person. Nothing is believed but what Axiam redeems.
app.post('/login', async (request, response) => {
  const { email } = await redeem(`${request.body.client_session_token}`, `${request.body.client_id}`);
  request.session.regenerate((error) => {
    if (error) throw error;
    request.session.email = email;
    response.redirect(303, '/');
  });
});

app.post('/logout', (request, response) => {
  request.session.destroy(() => response.redirect(303, '/'));
});

app.use((error, request, response, next) => {
  const refused = error instanceof Refused;
  if (!refused) console.error(error);
  response.status(refused ? 401 : 502).send(page('Not signed in',
    `<p>${escape(refused ? error.message : 'Sign-in is not available just now.')} <a href="/">Try again</a>.</p>`));
});

function escape(text) {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

function page(title, body) {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
    <title>${escape(title)}</title><main><h1>${escape(title)}</h1>${body}</main></html>`;
}

app.listen(PORT, '127.0.0.1', () => console.log(`Open http://127.0.0.1:${PORT}`));
