// The camera: opened by a tap, once, and watched. Whatever goes wrong has a name, and a screen with a way out.

export type CameraProblem = 'denied' | 'none' | 'busy' | 'insecure' | 'inApp' | 'ended' | 'black' | 'frozen';

export class CameraError extends Error {
  override name = 'CameraError';

  constructor(readonly problem: CameraProblem, options?: ErrorOptions) {
    super(problem, options);
  }
}

/** Cameras that see warmth or distance instead of light. */
const UNSEEING = /infrared|\bIR\b|\bdepth\b|windows hello/i;
/** Milliseconds until an opened camera must show something. */
const WARM_UP = 10_000;
/** A track may be muted for a moment while the phone turns, milliseconds. */
const MUTED = 1_500;

export type Facing = 'user' | 'environment';

export interface Camera {
  stream: MediaStream;
  /** Told once when the camera is taken away. */
  onEnd(told: () => void): void;
  stop(): void;
}

/**
 * Opens the camera and shows it in `video`, which has real dimensions when this resolves.
 *
 * @throws CameraError
 */
export async function open(video: HTMLVideoElement, facing: Facing, isInApp: boolean): Promise<Camera> {
  if (!navigator.mediaDevices?.getUserMedia) throw new CameraError(isSecureContext ? 'inApp' : 'insecure');
  const stream = await seeing(facing, isInApp);
  const camera = watched(stream);
  try {
    video.srcObject = stream;
    await video.play().catch(() => {});
    await dimensions(video);
    return camera;
  } catch (error) {
    camera.stop();
    throw error;
  }
}

async function seeing(facing: Facing, isInApp: boolean): Promise<MediaStream> {
  const stream = await ask({ facingMode: facing }, isInApp);
  const [track] = stream.getVideoTracks();
  if (!track || !UNSEEING.test(track.label)) return stream;
  stop(stream);
  // Labels are there now that one camera was allowed.
  const devices = await navigator.mediaDevices.enumerateDevices();
  const other = devices.find(({ kind, label }) => kind === 'videoinput' && !UNSEEING.test(label));
  if (!other) throw new CameraError('none');
  return ask({ deviceId: { exact: other.deviceId } }, isInApp);
}

async function ask(which: MediaTrackConstraints, isInApp: boolean): Promise<MediaStream> {
  const video = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 }, ...which };
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: false, video });
  } catch (cause) {
    throw new CameraError(problemOf(cause, isInApp), { cause });
  }
}

/** What a failed `getUserMedia` means for the person. */
export function problemOf(cause: unknown, isInApp: boolean): CameraProblem {
  switch ((cause as { name?: string } | null)?.name) {
    case 'NotAllowedError':
      return isInApp ? 'inApp' : 'denied';
    case 'NotFoundError':
    case 'OverconstrainedError':
      return 'none';
    case 'SecurityError':
    case 'TypeError':
      return 'insecure';
    default:
      return 'busy';
  }
}

function watched(stream: MediaStream): Camera {
  const ears: (() => void)[] = [];
  let isTaken = false;
  const end = (): void => {
    isTaken = true;
    for (const told of ears.splice(0)) told();
  };
  let timer: ReturnType<typeof setTimeout> | undefined;
  for (const track of stream.getVideoTracks()) {
    track.onended = end;
    track.onmute = () => { timer = setTimeout(end, MUTED); };
    track.onunmute = () => clearTimeout(timer);
  }
  return {
    stream,
    // It may have been taken before anyone asked.
    onEnd: (told) => (isTaken ? told() : void ears.push(told)),
    stop: () => {
      ears.splice(0);
      clearTimeout(timer);
      stop(stream);
    },
  };
}

const stop = (stream: MediaStream): void => stream.getTracks().forEach((track) => track.stop());

/** Some browsers say 2 × 2 until the first picture is there. */
async function dimensions(video: HTMLVideoElement): Promise<void> {
  for (let waited = 0; video.videoWidth <= 2 || video.videoHeight <= 2 || video.readyState < 2; waited += 50) {
    if (waited > WARM_UP) throw new CameraError('busy');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
