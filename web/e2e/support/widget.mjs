// The widget as a person meets it in a browser.

import assert from 'node:assert/strict';

/** A script for a page: the widget with these options; what it tells lands in `window.told`. */
export function usual(options = {}) {
  return `
    window.told = [];
    window.make = (more = {}) => AxiamFacialLogin.init({
      authToken: () => fetch('/token').then((reply) => reply.text()),
      formAction: '/login', csrfToken: 'c5rf', csrfField: '_token',
      ...Object.fromEntries(['onReady', 'onSubmit', 'onPending', 'onVerified', 'onSuccess', 'onRejected', 'onFailed', 'onTimeout', 'onNoDevice', 'onError', 'onStateChange']
        .map((name) => [name, (...all) => { told.push(name); console.info(name, ...all.map(String)); }])),
      ...${JSON.stringify(options)}, ...more,
    });
    window.widget = make();`;
}

export class Widget {
  /** `at` picks one where a page has several. */
  constructor(page, at = 0) {
    this.page = page;
    this.host = page.locator('axiam-facial-login').nth(at);
  }

  state() {
    return this.host.evaluate((element) => element.state);
  }

  async becomes(state, patience = 15_000) {
    const deadline = Date.now() + patience;
    for (;;) {
      const found = await this.state().catch((error) => `(${error.message.split('\n')[0]})`);
      if (found === state) return;
      assert.ok(Date.now() < deadline, `the widget is ${found}, not ${state}`);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }

  async send(email) {
    await this.host.locator('input').fill(email);
    await this.host.locator('button[type=submit]').click();
  }

  /** Types, sends, waits for the number and returns it. */
  async ask(email) {
    await this.send(email);
    await this.becomes('pending');
    return this.number();
  }

  async number() {
    return Number(await this.host.locator('.number .aside').textContent());
  }

  /** Waits until the sentence under the title has these words. */
  says(words) {
    return this.host.locator('.text').filter({ hasText: words }).waitFor({ timeout: 15_000 });
  }

  /** Waits until everything that fades in is there. A state that gives way meanwhile takes its fade with it. */
  settles() {
    return this.host.evaluate(async ({ shadowRoot }) => {
      const fading = () => shadowRoot.getAnimations().filter((one) => one.effect.getTiming().iterations !== Infinity && one.playState !== 'finished');
      for (let left = fading(); left.length; left = fading()) await Promise.allSettled(left.map((one) => one.finished));
    });
  }

  press(name) {
    return this.host.getByRole('button', { name, exact: true }).click();
  }

  told() {
    return this.page.evaluate(() => window.told);
  }
}
