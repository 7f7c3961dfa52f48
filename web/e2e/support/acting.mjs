// A person before the phone's camera who does what the phone asks for, again and again until it asks for something else. A
// camera that is fed from a file cannot: it goes on whatever is asked. So the stream is drawn in the page, from recordings.

/** `clip(action)` gives the pictures of somebody doing it once: JPEGs, 30 a second. Call it before the page is opened. */
export async function act(page, clip) {
  await page.exposeFunction('axiamClip', (action) => clip(action).map((jpeg) => jpeg.toString('base64')));
  await page.addInitScript(perform);
}

// Runs in the page.
function perform() {
  const SIZE = { width: 480, height: 640 };
  const EVERY = 1000 / 30;
  /** Milliseconds in which a person reads what to do; meanwhile they look straight ahead. */
  const READS = 400;
  /** No hand is quite still: pixels, and share of the size. */
  const SHAKES = 1.5;
  const LEANS = 0.004;
  const films = new Map();
  // A function for each byte would hold the page up for a second at every step, and the phone's engine would seem slow.
  const bytes = (base64) => {
    const text = atob(base64);
    const all = new Uint8Array(text.length);
    for (let at = 0; at < all.length; at++) all[at] = text.charCodeAt(at);
    return all;
  };
  const film = async (action) => {
    const jpegs = await globalThis.axiamClip(action);
    films.set(action, jpegs.map((base64) => new Blob([bytes(base64)])));
  };
  // Who is asked again and again moves back as well: from the last picture to the first is a leap.
  const thereAndBack = (at, length) => {
    const turn = at % Math.max(1, 2 * (length - 1));
    return Math.min(turn, 2 * (length - 1) - turn);
  };
  const shakes = (most) => (2 * Math.random() - 1) * most;

  async function play(canvas, track) {
    const context = canvas.getContext('2d');
    let action = 'look_straight';
    let since = performance.now();
    while (track.readyState === 'live') {
      const now = performance.now();
      const asked = document.querySelector('.movement')?.dataset.action ?? 'look_straight';
      if (asked !== action) [action, since] = [asked, now];
      if (!films.has(action)) await film(action);
      const done = now - since - READS;
      const pictures = films.get(done < 0 ? 'look_straight' : action);
      const picture = await createImageBitmap(pictures[thereAndBack(Math.floor(Math.abs(done) / EVERY), pictures.length)]);
      const scale = 1 + Math.abs(shakes(LEANS)) + 2 * SHAKES / SIZE.width;
      const [width, height] = [SIZE.width * scale, SIZE.height * scale];
      context.drawImage(picture, (SIZE.width - width) / 2 + shakes(SHAKES), (SIZE.height - height) / 2 + shakes(SHAKES), width, height);
      picture.close();
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, EVERY - (performance.now() - now))));
    }
  }

  navigator.mediaDevices.getUserMedia = async () => {
    await film('look_straight');
    const canvas = Object.assign(document.createElement('canvas'), SIZE);
    const stream = canvas.captureStream();
    void play(canvas, stream.getVideoTracks()[0]);
    return stream;
  };
}
