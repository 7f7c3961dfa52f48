// Reads QR codes in a picture.

import QrScanner from 'qr-scanner';

export interface Decoder {
  /** What a code in the picture says; null where there is none. */
  read(video: HTMLVideoElement): Promise<string | null>;
  stop(): void;
}

/** The worker's file; the page names it, because its name changes with its content. */
const workerPath = (): string => document.querySelector<HTMLElement>('#app')?.dataset.codeWorker ?? '';

interface Detector {
  detect(picture: HTMLVideoElement): Promise<{ rawValue: string }[]>;
}

interface DetectorKind {
  new(options: { formats: string[] }): Detector;
  getSupportedFormats(): Promise<string[]>;
}

export async function decoder(): Promise<Decoder> {
  const own = (globalThis as { BarcodeDetector?: DetectorKind }).BarcodeDetector;
  // Some browsers have the name and nothing behind it.
  const formats = await own?.getSupportedFormats().catch(() => []) ?? [];
  return own && formats.includes('qr_code') ? native(new own({ formats: ['qr_code'] })) : bundled();
}

function native(detector: Detector): Decoder {
  return {
    read: async (video) => (await detector.detect(video).catch(() => []))[0]?.rawValue ?? null,
    stop: () => {},
  };
}

function bundled(): Decoder {
  const worker = new Worker(workerPath());
  const canvas = document.createElement('canvas');
  return {
    // It throws where there is no code.
    read: (video) => QrScanner.scanImage(video, { qrEngine: worker, canvas, returnDetailedScanResult: true })
      .then(({ data }) => data, () => null),
    stop: () => worker.terminate(),
  };
}
