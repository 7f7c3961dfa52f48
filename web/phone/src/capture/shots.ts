// Looks at the camera's picture and takes photos of it, as the camera sees it: not mirrored, 3 by 4, no side above 640.

import { luma, measure, type Measures } from './measure.js';

const LONGEST = 640;
/** Bytes: twelve of these stay under 1 MB. */
export const LARGEST = 75_000;
/** JPEG qualities and sizes, the first that is small enough wins. Of a picture of noise, as of a camera in the dark, the last has 25 KB. */
const WAYS = [[0.8, 1], [0.65, 1], [0.5, 1], [0.5, 0.75], [0.5, 0.5], [0.3, 0.375]] as const;
/** Width and height of what is measured, and of what the engine sees. */
const LOOK = [120, 160] as const;
const SIGHT = [240, 320] as const;

interface Canvas {
  element: HTMLCanvasElement;
  context: CanvasRenderingContext2D;
}

/** One picture of the camera: what is said of it is said of the very photo that is sent. */
export interface Shot {
  readonly measures: Measures;
  /** The pixels for the engine. */
  sight(): ImageData;
  /** The picture as a JPEG; it is encoded while the person goes on. */
  encode(): Promise<Uint8Array<ArrayBuffer>>;
}

export class Shots {
  readonly #look = canvas(...LOOK);
  readonly #sight = canvas(...SIGHT);
  #whole: Canvas | null = null;
  #before: Uint8Array | null = null;

  constructor(private readonly video: HTMLVideoElement) {}

  /** The picture as it is now; the one before is gone then, unless it was encoded. */
  take(): Shot {
    const whole = this.#draw();
    const drawn = ({ context }: Canvas, [width, height]: readonly [number, number]): ImageData => {
      context.drawImage(whole.element, 0, 0, width, height);
      return context.getImageData(0, 0, width, height);
    };
    const grey = luma(drawn(this.#look, LOOK).data);
    const measures = measure(grey, LOOK[0], this.#before);
    this.#before = grey;
    return {
      measures,
      sight: () => drawn(this.#sight, SIGHT),
      encode: () => {
        // It is drawn on no more.
        if (this.#whole === whole) this.#whole = null;
        return encoded(whole.element);
      },
    };
  }

  // The largest upright 3 by 4 in the middle: what the person sees, whatever way the camera lies.
  #draw(): Canvas {
    const { videoWidth, videoHeight } = this.video;
    const width = Math.min(videoWidth, videoHeight * 0.75);
    const height = Math.min(videoHeight, videoWidth / 0.75);
    const scale = Math.min(1, LONGEST / Math.max(width, height));
    const [across, down] = [Math.round(width * scale), Math.round(height * scale)];
    // A phone that is turned has another picture.
    if (this.#whole?.element.width !== across || this.#whole.element.height !== down) this.#whole = canvas(across, down);
    this.#whole.context.drawImage(this.video, (videoWidth - width) / 2, (videoHeight - height) / 2, width, height, 0, 0, across, down);
    return this.#whole;
  }
}

async function encoded(whole: HTMLCanvasElement): Promise<Uint8Array<ArrayBuffer>> {
  for (const [quality, scale] of WAYS) {
    const element = scale === 1 ? whole : scaled(whole, scale);
    const blob = await new Promise<Blob | null>((resolve) => element.toBlob(resolve, 'image/jpeg', quality));
    if (!blob) break;
    if (blob.size <= LARGEST) return new Uint8Array(await blob.arrayBuffer());
  }
  throw new Error('the picture could not be encoded');
}

function scaled(whole: HTMLCanvasElement, scale: number): HTMLCanvasElement {
  const { element, context } = canvas(Math.round(whole.width * scale), Math.round(whole.height * scale));
  context.drawImage(whole, 0, 0, element.width, element.height);
  return element;
}

function canvas(width: number, height: number): Canvas {
  const element = document.createElement('canvas');
  Object.assign(element, { width, height });
  const context = element.getContext('2d', { willReadFrequently: true });
  if (!context) throw new Error('no canvas');
  return { element, context };
}
