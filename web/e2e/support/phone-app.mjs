// The phone app as a person uses it, in a real browser.

import assert from 'node:assert/strict';

const PATIENCE = 20_000;

/** How browsers call themselves in a tab of an iPhone, and inside a messenger. */
export const IPHONE = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1';
export const MESSENGER = 'Mozilla/5.0 (Linux; Android 14; wv) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/480.0;]';

/** What makes a browser context a phone. */
export const PHONE = {
  viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2, locale: 'en-GB',
  permissions: ['camera', 'clipboard-read', 'clipboard-write'],
};

export class PhoneApp {
  /** A phone with a storage of its own. `options` are those of a browser context. */
  static async of(browser, options = {}) {
    const context = await browser.newContext({ ...PHONE, ...options });
    const app = new PhoneApp(context);
    await app.open();
    return app;
  }

  constructor(context) {
    this.context = context;
    this.complaints = [];
  }

  async open() {
    this.page = await this.context.newPage();
    this.page.on('console', (message) => message.type() === 'error' && this.complaints.push(message.text()));
    this.page.on('pageerror', (error) => this.complaints.push(String(error)));
  }

  /** Opens a link, such as a QR code's. */
  async follow(link) {
    await this.page.goto(link);
  }

  screen() {
    return this.page.locator('#app').getAttribute('data-screen');
  }

  /** Waits until this screen is shown. */
  async shows(name, patience = PATIENCE) {
    try {
      await this.page.locator(`#app[data-screen="${name}"]`).waitFor({ state: 'attached', timeout: patience });
    } catch {
      const text = await this.page.locator('#app').innerText().catch(() => '');
      assert.fail(`the phone shows ${await this.screen().catch(() => 'nothing')}, not ${name}: ${text}`);
    }
  }

  async says(words) {
    await this.page.locator('#app main').getByText(words).first().waitFor({ timeout: PATIENCE });
  }

  press(name) {
    return this.page.getByRole('button', { name, exact: true }).first().click();
  }

  /** A phone in a tab that something else has opened. */
  static in(page) {
    const app = new PhoneApp(page.context());
    app.page = page;
    return app;
  }

  /** Pairs by a link and agrees; ends with the face set up. */
  async enrol(link) {
    await this.follow(link);
    await this.setUp();
  }

  /** The same where the link is open already. */
  async setUp() {
    await this.pair();
    await this.press('Set up your face');
    await this.shows('consent');
    await this.press('I agree, scan my face');
    await this.shows('enrolled', 40_000);
    await this.press('Done');
    await this.shows('home');
  }

  async pair() {
    await this.shows('pair');
    await this.press('Pair this phone');
    await this.shows('paired');
  }

  /** Takes the newest request up. */
  async take() {
    await this.shows('home');
    await this.page.locator('ul[aria-label] button.card').first().click();
    await this.shows('answer');
  }

  /** Answers the number, or none, and poses. */
  async agree(number) {
    if (number === null || number === undefined) return this.press('Scan my face');
    const digits = String(number).padStart(2, '0');
    const field = this.page.locator('input#number');
    if (await field.count()) {
      await field.fill(digits);
      return this.page.locator('form:has(#number) button[type="submit"]').click();
    }
    return this.press(digits);
  }

  /** How many requests are listed. */
  waiting() {
    return this.page.locator('ul[aria-label="Waiting for you"] > li').count();
  }

  close() {
    return this.context.close();
  }
}

/** A form holds at most 12 JPEGs, none larger than 640 either way, and less than 1 MB; of a face before a camera less than 400 KB. */
export function holdsSmallPictures(form, { most = 400_000 } = {}) {
  assert.ok(form.length < most, `${form.length} bytes`);
  const sizes = [];
  // A frame header of a baseline JPEG (ITU-T T.81, B.2.2) follows each start of an image.
  for (let at = form.indexOf('\xff\xd8\xff', 0, 'latin1'); at >= 0; at = form.indexOf('\xff\xd8\xff', at + 1, 'latin1')) {
    const frame = form.indexOf('\xff\xc0', at, 'latin1');
    sizes.push([form.readUInt16BE(frame + 7), form.readUInt16BE(frame + 5)]);
  }
  assert.ok(sizes.length >= 1 && sizes.length <= 12, `${sizes.length} pictures`);
  for (const [width, height] of sizes) assert.ok(most > 400_000 ? Math.max(width, height) <= 640 : Math.max(width, height) === 640, `${width} × ${height}`);
  console.log(`      ${sizes.length} pictures, ${Math.round(form.length / 1000)} KB`);
}

/** Runs in the page: what is in the store, and whether a key can be read. */
export async function readKeys() {
  const database = await new Promise((resolve) => {
    const request = indexedDB.open('axiam-phone');
    request.onsuccess = () => resolve(request.result);
  });
  const kept = await new Promise((resolve) => {
    const request = database.transaction('pairings').objectStore('pairings').getAll();
    request.onsuccess = () => resolve(request.result);
  });
  database.close();
  return Promise.all(kept.map(async ({ privateKey, publicKey }) => ({
    extractable: privateKey.extractable,
    readable: await crypto.subtle.exportKey('jwk', privateKey).then(() => true, () => false),
    x: publicKey.x,
  })));
}
