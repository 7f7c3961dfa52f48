// A server, a site, a browser with a false camera: what tests of the phone app stand in.

import { Axiam } from './axiam.mjs';
import { openBrowser } from './browser.mjs';
import { FalseCamera } from './false-camera.mjs';
import { PhoneApp } from './phone-app.mjs';

export class PhoneWorld {
  /** `settings` are the program's. */
  static async open({ settings } = {}) {
    const world = new PhoneWorld();
    world.axiam = await Axiam.start({ settings });
    world.site = await world.axiam.createSite('https://shop.example');
    await world.site.authenticate();
    world.camera = new FalseCamera();
    world.browser = await openBrowser({ args: world.camera.args });
    world.phones = [];
    return world;
  }

  /** A phone with a storage of its own. */
  async phone(options) {
    const app = await PhoneApp.of(this.browser, options);
    this.phones.push(app);
    return app;
  }

  /** The link in the code for a client of this address, who is made where there is none. */
  async link(email, site = this.site) {
    const id = await site.createClient(email);
    return { id, link: (await site.qrcode(id)).enrollment_url };
  }

  /** A person with a paired phone and this face. */
  async person(email, photo, { site = this.site, options } = {}) {
    const { id, link } = await this.link(email, site);
    await this.camera.show(this.browser, photo);
    const app = await this.phone(options);
    await app.enrol(link);
    return { id, email, app };
  }

  /** Closes the phones of one test. */
  async putAway() {
    for (const app of this.phones.splice(0)) await app.close();
  }

  async close() {
    await this.browser?.close();
    await this.axiam?.stop();
    this.camera?.remove();
  }
}
