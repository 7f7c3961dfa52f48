// Posts what the site's backend redeems. The form is made when there is something to post, and never before.

import type { Verified } from './machine.js';

export interface Target {
  action: string;
  csrfField: string;
  csrfToken: string | undefined;
}

/**
 * Posts the verified sign-on as a form of its own within the shadow root, where no form around the
 * widget owns its fields and no listener of the page can take part in it.
 */
export function post(root: ShadowRoot, { action, csrfField, csrfToken }: Target, verified: Verified): void {
  const form = document.createElement('form');
  form.method = 'post';
  form.action = action;
  form.hidden = true;
  const fields: Record<string, string> = {
    client_session_token: verified.client_session_token,
    client_id: verified.client_id,
    email: verified.email,
    verified: 'true',
    ...(csrfToken === undefined ? {} : { [csrfField]: csrfToken }),
  };
  for (const [name, value] of Object.entries(fields)) {
    const input = document.createElement('input');
    input.type = 'hidden';
    input.name = name;
    input.value = value;
    form.append(input);
  }
  root.append(form);
  // Not `form.submit()`: a field of that name would hide it.
  HTMLFormElement.prototype.submit.call(form);
}
