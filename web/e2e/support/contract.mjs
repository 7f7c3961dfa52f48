// Holds every answer that a test gets to the committed contract.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

const { paths } = JSON.parse(readFileSync(new URL('../../../docs/openapi.json', import.meta.url), 'utf8'));

/** What the contract says of a call; undefined for what is no route of the API. */
function operation(method, path) {
  const fits = (route) => {
    const [named, called] = [route.split('/'), path.split('/')];
    return named.length === called.length && named.every((part, at) => part.startsWith('{') || part === called[at]);
  };
  const route = paths[path] ? path : Object.keys(paths).find(fits);
  return paths[route]?.[method.toLowerCase()];
}

/** Fails when the contract does not say that this call may be answered with this status and code. */
export function holdToContract(method, path, status, json) {
  const known = operation(method, path);
  if (!known || typeof json?.success !== 'boolean') return;
  const answer = known.responses[status];
  assert.ok(answer, `${method} ${path}: the contract names no answer of status ${status} (${json.code})`);
  if (!json.success) {
    const codes = answer.description?.match(/\b\d{4}\b/g) ?? [];
    assert.ok(codes.includes(String(json.code)), `${method} ${path}: the contract does not name ${json.code} under ${status}`);
  }
}
