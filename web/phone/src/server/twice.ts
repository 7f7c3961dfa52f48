// What was lost on its way is sent once more.

import { Unreachable } from './api.js';

/** Milliseconds before that. */
const RESEND = 1_500;

/** Asks once more where nothing came back. */
export async function twice<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
    await new Promise((resolve) => setTimeout(resolve, RESEND));
    return ask();
  }
}
