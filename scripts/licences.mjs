// Holds every dependency to deny.toml where cargo-deny is not installed: licences, banned crates and
// where crates come from. Advisories need cargo-deny and its database.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const rules = readFileSync(new URL('../deny.toml', import.meta.url), 'utf8').replace(/#.*$/gm, '');
const allowed = new Set([...rules.match(/^allow = \[([^\]]*)\]/m)[1].matchAll(/"([^"]+)"/g)].map(([, name]) => name));
const banned = new Set([...rules.matchAll(/crate = "([^"]+)"/g)].map(([, name]) => name));

/** Whether an SPDX expression can be met with what is allowed. `/` is how old crates write OR. */
export function isMet(expression, allowed) {
  const tokens = expression.replaceAll('/', ' OR ').match(/[()]|[^\s()]+/g) ?? [];
  let at = 0;
  const either = () => {
    let met = both();
    while (tokens[at] === 'OR') {
      at += 1;
      met = both() || met;
    }
    return met;
  };
  const both = () => {
    let met = one();
    while (tokens[at] === 'AND') {
      at += 1;
      met = one() && met;
    }
    return met;
  };
  const one = () => {
    if (tokens[at] === '(') {
      at += 1;
      const met = either();
      at += 1;
      return met;
    }
    let name = tokens[at];
    at += 1;
    if (tokens[at] === 'WITH') {
      name = `${name} WITH ${tokens[at + 1]}`;
      at += 2;
    }
    return allowed.has(name);
  };
  return either() && at === tokens.length;
}

const text = execFileSync('cargo', ['metadata', '--format-version', '1', '--all-features', '--locked'], { maxBuffer: 1 << 28 });
const { packages } = JSON.parse(text);
const faults = [];
for (const { name, version, license, source } of packages) {
  if (!license || !isMet(license, allowed)) faults.push(`${name} ${version}: licence ${license ?? 'unknown'}`);
  if (banned.has(name)) faults.push(`${name} ${version}: banned`);
  if (source && !source.startsWith('registry+')) faults.push(`${name} ${version}: from ${source}`);
}
if (allowed.size === 0 || packages.length < 2) faults.push('deny.toml or cargo metadata could not be read');
for (const fault of faults) console.error(`check: ${fault}`);
console.log(`check: ${packages.length} crates, ${faults.length} against deny.toml`);
process.exitCode = faults.length ? 1 : 0;
