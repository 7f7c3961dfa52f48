// A multipart form as bytes: the proof covers them, so they must be known before they are sent.

import { base64url, bytesOf, type Bytes } from './encoding.js';

/** One photo of an answer. */
export interface Photo {
  /** Which step it shows. */
  step: string;
  /** Milliseconds since the challenge came. */
  at: number;
  jpeg: Bytes;
}

export interface Form {
  type: string;
  bytes: Bytes;
}

/** The answer to a challenge: `answer` and one part for each photo. */
export function answerForm(answer: Record<string, unknown>, photos: Photo[]): Form {
  const boundary = base64url(crypto.getRandomValues(new Uint8Array(18)));
  const frames = photos.map(({ step, at }, index) => ({ part: `frame${index}`, step, t_ms: Math.round(at) }));
  const pieces: Uint8Array[] = [];
  const part = (head: string, content: Uint8Array): void => {
    pieces.push(bytesOf(`--${boundary}\r\n${head}\r\n\r\n`), content, bytesOf('\r\n'));
  };
  part('Content-Disposition: form-data; name="answer"\r\nContent-Type: application/json',
    bytesOf(JSON.stringify({ ...answer, frames })));
  photos.forEach(({ jpeg }, index) => {
    part(`Content-Disposition: form-data; name="frame${index}"; filename="${index}.jpg"\r\nContent-Type: image/jpeg`, jpeg);
  });
  pieces.push(bytesOf(`--${boundary}--\r\n`));
  return { type: `multipart/form-data; boundary=${boundary}`, bytes: joined(pieces) };
}

function joined(pieces: Uint8Array[]): Bytes {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
