// What every peer speaks: it says its versions in one line, then answers each line it reads, a request
// as JSON, with a line of JSON.
import { createInterface } from 'node:readline';

export async function serve(versions, answer) {
  console.log(JSON.stringify({ versions }));
  for await (const line of createInterface({ input: process.stdin })) {
    console.log(JSON.stringify(await answer(JSON.parse(line).photo)));
  }
}
