// The real program, started on a free port with a data folder of its own.

import { execFile, spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { request } from './http.mjs';
import { Site } from './site.mjs';

export const REPOSITORY = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');
const PROGRAM = process.env.AXIAM_TEST_BIN ?? path.join(REPOSITORY, 'target/debug/axiam');
const PATIENCE = 60_000;

/** A program that is built together with ours. */
export const beside = (name) => path.join(path.dirname(PROGRAM), name);

// Tests come from one address and ask often; the limits have a test of their own.
const ROOMY = {
  AXIAM_LIMITS_PUSH_PER_IP: '10000',
  AXIAM_SIGN_ON_PUSHES_BEFORE_PAUSE: '10000',
  AXIAM_LIMITS_PUSH_PER_CLIENT: '10000',
  AXIAM_LIMITS_VERIFY_PER_IP: '10000',
  AXIAM_LIMITS_VERIFY_PER_SIGN_ON: '10000',
  AXIAM_LIMITS_OTHER_PER_IP: '10000',
  AXIAM_LIMITS_AUTH_PER_IP: '10000',
  AXIAM_LIMITS_ENROL_PER_DEVICE: '10000',
};

// Whoever ends this process in the middle of a test, as Node does when a file's time is over, leaves no program behind.
const running = new Set();
process.on('exit', () => running.forEach((axiam) => axiam.child.kill('SIGKILL')));
process.on('SIGTERM', () => process.exit(1));

export class Axiam {
  /**
   * Starts it and waits until it answers. `settings` are environment variables over the roomy
   * limits; `strict: true` leaves the limits as they come, `demo: true` has it serve the demo site,
   * `isNamed: true` has browsers and phones call it `localhost`.
   */
  static async start({ settings = {}, strict = false, demo = false, isNamed = false } = {}) {
    if (!fs.existsSync(PROGRAM)) {
      throw new Error(`${PROGRAM} does not exist: run 'cargo build --workspace --bins', or name the program in AXIAM_TEST_BIN.`);
    }
    for (let tries = 0; ; tries++) {
      const axiam = new Axiam({ ...(strict ? {} : ROOMY), ...settings }, demo, isNamed);
      try {
        await axiam.#serve();
        return axiam;
      } catch (error) {
        await axiam.stop();
        // Somebody else was quicker to take the port.
        if (tries === 3 || !/in use/.test(axiam.log)) throw error;
      }
    }
  }

  constructor(settings, demo, isNamed) {
    this.demo = demo;
    this.isNamed = isNamed;
    this.dataDir = fs.mkdtempSync(path.join(os.tmpdir(), 'axiam-e2e-'));
    this.log = '';
    const own = Object.entries(process.env).filter(([name]) => !name.startsWith('AXIAM_') || name === 'AXIAM_FACE_PACK');
    this.environment = { ...Object.fromEntries(own), NO_COLOR: '1', ...settings };
  }

  async #serve(again = false) {
    const port = this.port = again ? this.port : await freePort();
    this.over = false;
    this.url = `http://127.0.0.1:${port}`;
    this.api = `${this.url}/api/v1/facial_sign_on`;
    this.cable = `ws://127.0.0.1:${port}/cable`;
    if (this.isNamed) this.environment.AXIAM_SERVER_PUBLIC_URL = `http://localhost:${port}`;
    this.child = spawn(PROGRAM, ['--data-dir', this.dataDir, 'serve', '--listen', `127.0.0.1:${port}`, ...(this.demo ? ['--demo'] : [])], {
      cwd: REPOSITORY,
      env: this.environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.add(this);
    const listen = (chunk) => { this.log += chunk; };
    this.child.stdout.on('data', listen);
    this.child.stderr.on('data', listen);
    this.ended = new Promise((resolve) => {
      this.child.once('exit', resolve);
      this.child.once('error', (error) => { this.log += error.message; resolve(); });
    }).then(() => { this.over = true; });

    const deadline = Date.now() + PATIENCE;
    while (!this.over && Date.now() < deadline) {
      const answer = await request(`${this.api}/login/status`).catch(() => null);
      if (answer) return;
      await Promise.race([sleep(50), this.ended]);
    }
    throw new Error(`axiam ${this.over ? 'ended at once' : 'does not answer'}. Its output:\n${this.log}`);
  }

  /** Ends it by a signal and waits until it is gone; its data stays. */
  async halt(signal) {
    this.child.kill(signal);
    await this.ended;
  }

  /** Starts it again at the same address on the same data. */
  async again() {
    await this.#serve(true);
  }

  /** Stops it and removes its data. */
  async stop() {
    if (this.child && !this.over) {
      this.child.kill('SIGTERM');
      const killer = setTimeout(() => this.child.kill('SIGKILL'), 10_000);
      await this.ended;
      clearTimeout(killer);
    }
    running.delete(this);
    fs.rmSync(this.dataDir, { recursive: true, force: true });
  }

  /** Runs the command line against the same data: {code, stdout, stderr}. */
  run(...args) {
    return new Promise((resolve) => {
      const options = { cwd: REPOSITORY, env: this.environment, timeout: PATIENCE, killSignal: 'SIGKILL', maxBuffer: 1 << 24 };
      execFile(PROGRAM, ['--data-dir', this.dataDir, ...args], options, (error, stdout, stderr) =>
        resolve({ code: error ? (error.code ?? 1) : 0, stdout, stderr }));
    });
  }

  /** The same where it must succeed: its standard output. */
  async must(...args) {
    const { code, stdout, stderr } = await this.run(...args);
    if (code !== 0) throw new Error(`axiam ${args.join(' ')} ended with ${code}:\n${stdout}${stderr}`);
    return stdout;
  }

  /** Registers a site the way an operator does. */
  async createSite(url) {
    const site = JSON.parse(await this.must('site', 'create', '--url', url, '--json'));
    // Photos stand in for people, who cannot turn their heads.
    // And most tests look at no page; those of the widget and the inbox ask for numbers all the same.
    // Pages of the tests say that they come from this machine.
    const origins = `origins=localhost,127.0.0.1,${site.domain}`;
    await this.must('site', 'set', site.site_id, 'liveness=off', 'number_matching=false', origins);
    return new Site(this, site);
  }
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export function freePort() {
  return new Promise((resolve, reject) => {
    const listener = net.createServer().once('error', reject);
    listener.listen(0, '127.0.0.1', () => {
      const { port } = listener.address();
      listener.close(() => resolve(port));
    });
  });
}
