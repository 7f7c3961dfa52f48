// The databases every journey is walked on.

import crypto from 'node:crypto';

import pg from 'pg';

const SERVER = process.env.AXIAM_TEST_POSTGRES_URL;
const PATIENCE = 30_000;

/** {name, missing, settings()}: `settings` gives the environment of a program on a fresh database of its own. */
export const DATABASES = [
  { name: 'SQLite', missing: null, settings: async () => ({}) },
  {
    name: 'PostgreSQL',
    missing: SERVER ? null : 'AXIAM_TEST_POSTGRES_URL is not set: `make test` sets it',
    settings: async () => ({ AXIAM_DATABASE_URL: await freshDatabase() }),
  },
];

async function freshDatabase() {
  const name = `e2e_${crypto.randomBytes(6).toString('hex')}`;
  const client = new pg.Client({ connectionString: SERVER, connectionTimeoutMillis: PATIENCE, query_timeout: PATIENCE });
  await client.connect();
  await client.query(`CREATE DATABASE ${name}`);
  await client.end();
  const url = new URL(SERVER);
  url.pathname = `/${name}`;
  return url.href;
}
