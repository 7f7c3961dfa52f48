// Bytes and texts as JOSE writes them.

const utf8 = new TextEncoder();

export type Bytes = Uint8Array<ArrayBuffer>;

export const bytesOf = (text: string): Bytes => utf8.encode(text);

export function base64(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

/** Base64url without padding (RFC 4648, section 5). */
export const base64url = (bytes: Uint8Array): string =>
  base64(bytes).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');

export async function sha256(bytes: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
}

/** The `Content-Digest` of a body (RFC 9530). */
export const contentDigest = async (body: Bytes): Promise<string> => `sha-256=:${base64(await sha256(body))}:`;
