// Looks at the camera's picture and takes photos of it, as the camera sees it: not mirrored, 3 by 4, no side above 640.

import { luma, measure, type Measures } from './measure.js';

const LONGEST = 640;
/** Bytes: twelve of these stay under 1 MB. */
const LARGEST = 75_000;
/** JPEG qualities, the first that is small enough wins. */
const QUALITIES = [0.8, 0.65, 0.5];
/** Width and height of what is measured. */
const LOOK = [120, 160] as const;

export class Shots {
  readonly #look = canvas(...LOOK);
  #before: Uint8Array | null = null;

  constructor(private readonly video: HTMLVideoElement) {}

  look(): Measures {
    const { context } = this.#look;
    this.#draw(context, ...LOOK);
    const grey = luma(context.getImageData(0, 0, ...LOOK).data);
    const measures = measure(grey, LOOK[0], this.#before);
    this.#before = grey;
    return measures;
  }

  /** The picture as it is now; it is encoded while the person goes on. */
  async take(): Promise<Uint8Array<ArrayBuffer>> {
    const { width, height } = this.#middle();
    const scale = Math.min(1, LONGEST / Math.max(width, height));
    const { element, context } = canvas(Math.round(width * scale), Math.round(height * scale));
    this.#draw(context, element.width, element.height);
    for (const quality of QUALITIES) {
      const blob = await new Promise<Blob | null>((resolve) => element.toBlob(resolve, 'image/jpeg', quality));
      if (!blob) break;
      if (blob.size <= LARGEST || quality === QUALITIES.at(-1)) return new Uint8Array(await blob.arrayBuffer());
    }
    throw new Error('the picture could not be encoded');
  }

  #draw(context: CanvasRenderingContext2D, width: number, height: number): void {
    const middle = this.#middle();
    context.drawImage(this.video, middle.x, middle.y, middle.width, middle.height, 0, 0, width, height);
  }

  // The largest upright 3 by 4 in the middle: what the person sees, whatever way the camera lies.
  #middle(): { x: number; y: number; width: number; height: number } {
    const { videoWidth, videoHeight } = this.video;
    const width = Math.min(videoWidth, videoHeight * 0.75);
    const height = Math.min(videoHeight, videoWidth / 0.75);
    return { x: (videoWidth - width) / 2, y: (videoHeight - height) / 2, width, height };
  }
}

function canvas(width: number, height: number): { element: HTMLCanvasElement; context: CanvasRenderingContext2D } {
  const element = document.createElement('canvas');
  Object.assign(element, { width, height });
  const context = element.getContext('2d', { willReadFrequently: true });
  if (!context) throw new Error('no canvas');
  return { element, context };
}
