// The relying sites of examples/, each started as its guide says, from a copy of its files.

import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { freePort, REPOSITORY, sleep } from './axiam.mjs';

const PATIENCE = 30_000;

/** Runs a shell command; whether it succeeds. */
function works(command) {
  try {
    execFileSync('sh', ['-c', command], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** The first Python that has what the example needs: Debian's own need not be the first on the path. */
export const PYTHON = ['python3', '/usr/bin/python3'].find((python) => works(`${python} -c 'import flask, requests'`));

/** What `rails new` would have made around the three files of the Rails snippet. */
const RAILS = `
  require "action_controller/railtie"
  require_relative "lib/axiam"
  class Site < Rails::Application
    config.load_defaults Rails::VERSION::STRING.to_f
    config.root = __dir__
    config.secret_key_base = "a secret for tests alone, as long as they are wont to be"
    config.eager_load = false
    config.consider_all_requests_local = false
    config.logger = Logger.new($stderr, level: Logger::WARN)
    config.hosts.clear
  end
  Site.initialize!
  require_relative "app/controllers/sessions_controller"
  Rails.application.routes.draw do
    root "sessions#new"
    post "login", to: "sessions#create"
    post "logout", to: "sessions#destroy"
  end
  run Rails.application`;

/** {name, csrfField, missing: what to install or null, files: [from, to], command(port)}. */
export const EXAMPLES = [
  {
    name: 'php',
    csrfField: 'csrf_token',
    missing: works("php -r 'exit(function_exists(\"curl_init\") ? 0 : 1);'") ? null : 'PHP with curl (Debian: php-cli php-curl)',
    files: [['php', '.']],
    command: (port) => ['php', '-S', `127.0.0.1:${port}`, '-t', 'public'],
  },
  {
    name: 'node',
    csrfField: 'csrf_token',
    missing: null,
    files: [['node', '.'], ['../web/e2e/node_modules', 'node_modules']],
    command: () => ['node', 'server.js'],
  },
  {
    name: 'ruby',
    csrfField: 'authenticity_token',
    missing: works('ruby -e \'require "sinatra/base"; require "puma"\'') ? null : 'Sinatra and Puma (Debian: ruby-sinatra puma)',
    files: [['ruby', '.']],
    command: () => ['ruby', 'app.rb'],
  },
  {
    name: 'rails',
    csrfField: 'authenticity_token',
    missing: works('ruby -e \'require "action_controller/railtie"; require "puma"\'') ? null : 'Rails and Puma (Debian: ruby-railties puma)',
    files: [
      ['ruby/axiam.rb', 'lib/axiam.rb'],
      ['rails/sessions_controller.rb', 'app/controllers/sessions_controller.rb'],
      ['rails/new.html.erb', 'app/views/sessions/new.html.erb'],
    ],
    made: { 'config.ru': RAILS },
    command: (port) => ['puma', '--quiet', '--environment', 'production', '--bind', `tcp://127.0.0.1:${port}`, 'config.ru'],
  },
  {
    name: 'python',
    csrfField: 'csrf_token',
    missing: PYTHON ? null : 'Flask and requests (Debian: python3-flask python3-requests)',
    files: [['python', '.']],
    command: () => [PYTHON, 'app.py'],
  },
];

const running = new Set();
process.on('exit', () => running.forEach((child) => signal(child, 'SIGKILL')));

/** To a program and whatever it started, as `npm start` does. */
function signal({ pid }, name) {
  try {
    if (pid) process.kill(-pid, name);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

export class Example {
  /** Starts one of EXAMPLES against the program, with the keys that `axiam site create --json` printed. */
  static async start(kind, axiam, keys) {
    const example = new Example();
    example.folder = fs.mkdtempSync(path.join(os.tmpdir(), `axiam-${kind.name}-`));
    for (const [from, to] of kind.files) {
      const source = path.join(REPOSITORY, 'examples', from);
      const target = path.join(example.folder, to);
      fs.mkdirSync(path.dirname(target), { recursive: true });
      if (to === 'node_modules') fs.symlinkSync(source, target);
      else fs.cpSync(source, target, { recursive: true });
    }
    for (const [name, text] of Object.entries(kind.made ?? {})) fs.writeFileSync(path.join(example.folder, name), text);
    const port = await freePort();
    await example.run(kind.command(port), port, {
      AXIAM_URL: axiam.url, AXIAM_API_KEY: keys.api_key, AXIAM_SECRET_KEY: keys.secret_key,
    });
    return example;
  }

  /** Runs a command that serves on a port, and waits until it does. */
  async run([program, ...args], port, env) {
    this.url = `http://127.0.0.1:${port}`;
    this.log = '';
    this.child = spawn(program, args, {
      cwd: this.folder,
      env: { ...process.env, ...env, PORT: `${port}` },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    running.add(this.child);
    for (const stream of [this.child.stdout, this.child.stderr]) stream.on('data', (chunk) => { this.log += chunk; });
    let over = false;
    this.ended = new Promise((resolve) => {
      this.child.once('exit', resolve);
      this.child.once('error', (error) => { this.log += error.message; resolve(); });
    }).then(() => { over = true; });
    const deadline = Date.now() + PATIENCE;
    while (!over && Date.now() < deadline) {
      const answer = await fetch(`${this.url}/favicon.ico`).catch(() => null);
      if (answer) return;
      await Promise.race([sleep(50), this.ended]);
    }
    throw new Error(`${program} ${over ? 'ended at once' : 'does not answer'}. Its output:\n${this.log}`);
  }

  /** Ends it and removes its files. */
  async stop() {
    if (this.child) signal(this.child, 'SIGTERM');
    const killer = setTimeout(() => signal(this.child, 'SIGKILL'), 5_000);
    await this.ended;
    clearTimeout(killer);
    running.delete(this.child);
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}
