// Passkeys: asks the browser for one, or for a signature by one, and sends what it says with the page's form.

/** Bytes from base64url, as the server writes them into pages. */
export function bytes(text: string): Uint8Array<ArrayBuffer> {
  const plain = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(plain, (character) => character.charCodeAt(0));
}

/** Bytes as base64url, as the server reads them. */
export function text(buffer: ArrayBuffer): string {
  const plain = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join('');
  return btoa(plain).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** What a person reads when the browser gives nothing. */
export function excuse(error: unknown): string {
  const name = error instanceof Error ? error.name : '';
  if (name === 'InvalidStateError') return 'This device has a passkey for you already. Use it to sign in.';
  if (name === 'NotAllowedError') return 'Nothing was done: it was cancelled, took too long, or there is no passkey here. Try again, or use your password.';
  return 'This browser cannot do it here. Use your password.';
}

/** How long the browser asks, milliseconds: as long as the server takes an answer. */
const PATIENCE = 300_000;

async function made(data: DOMStringMap): Promise<Record<string, ArrayBuffer>> {
  const known = (data.known ?? '').split(' ').filter(Boolean);
  const credential = await navigator.credentials.create({
    publicKey: {
      challenge: bytes(data.challenge ?? ''),
      rp: { id: data.domain ?? '', name: 'Axiam' },
      user: { id: bytes(data.user ?? ''), name: data.email ?? '', displayName: data.email ?? '' },
      pubKeyCredParams: [{ type: 'public-key', alg: -7 }],
      excludeCredentials: known.map((id) => ({ type: 'public-key', id: bytes(id) })),
      authenticatorSelection: { residentKey: 'required', requireResidentKey: true, userVerification: 'required' },
      attestation: 'none',
      timeout: PATIENCE,
    },
  }) as PublicKeyCredential;
  const response = credential.response as AuthenticatorAttestationResponse;
  return { client_data: response.clientDataJSON, authenticator_data: response.getAuthenticatorData() };
}

async function shown(data: DOMStringMap): Promise<Record<string, ArrayBuffer>> {
  const credential = await navigator.credentials.get({
    publicKey: {
      challenge: bytes(data.challenge ?? ''),
      rpId: data.domain ?? '',
      userVerification: 'required',
      timeout: PATIENCE,
    },
  }) as PublicKeyCredential;
  const response = credential.response as AuthenticatorAssertionResponse;
  return {
    id: credential.rawId,
    client_data: response.clientDataJSON,
    authenticator_data: response.authenticatorData,
    signature: response.signature,
  };
}

/** Has a form ask for a passkey before it is sent. */
export function askByForm(form: HTMLFormElement): void {
  const complaint = document.getElementById('passkey-error');
  const button = form.querySelector('button');
  const ask = async (): Promise<void> => {
    if (button) button.disabled = true;
    try {
      const given = await (form.dataset.passkey === 'make' ? made : shown)(form.dataset);
      for (const [name, value] of Object.entries(given)) {
        const field = form.elements.namedItem(name);
        if (field instanceof HTMLInputElement) field.value = text(value);
      }
      form.submit();
    } catch (error) {
      if (complaint) {
        complaint.textContent = excuse(error);
        complaint.hidden = false;
      }
      if (button) button.disabled = false;
    }
  };
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void ask();
  });
  if ('atOnce' in form.dataset) void ask();
}
