// A Redis of the test's own, which it may kill: the suite's is shared.

import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';

import { freePort, sleep } from './axiam.mjs';

const running = new Set();
process.on('exit', () => running.forEach((redis) => redis.child?.kill('SIGKILL')));

export class Redis {
  /** Why there can be none, or null. */
  static get missing() {
    const found = (process.env.PATH ?? '').split(path.delimiter).some((dir) => fs.existsSync(path.join(dir, 'redis-server')));
    return found ? null : 'redis-server is not in PATH: `make test` installs it';
  }

  static async start() {
    const redis = new Redis();
    redis.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'axiam-redis-'));
    redis.port = await freePort();
    redis.url = `redis://127.0.0.1:${redis.port}`;
    await redis.serve();
    return redis;
  }

  /** Starts it, empty, on its port. */
  async serve() {
    const settings = ['--bind', '127.0.0.1', '--port', this.port, '--save', '', '--appendonly', 'no', '--dir', this.folder];
    this.child = spawn('redis-server', settings.map(String), { stdio: 'ignore' });
    running.add(this);
    this.ended = new Promise((resolve) => this.child.once('exit', resolve));
    for (let tries = 0; tries < 200; tries++) {
      if ((await this.ask(['PING'])) === '+PONG') return;
      await sleep(50);
    }
    throw new Error('redis-server does not answer');
  }

  /** Ends it at once, with all it knew. */
  async kill() {
    this.child.kill('SIGKILL');
    await this.ended;
  }

  async stop() {
    await this.kill();
    running.delete(this);
    fs.rmSync(this.folder, { recursive: true, force: true });
  }

  /** Sends commands on one connection; the first line of the last answer. */
  ask(...commands) {
    return new Promise((resolve) => {
      const socket = net.connect(this.port, '127.0.0.1', () => {
        for (const command of commands) socket.write(encode(command));
      });
      let text = '';
      const give = () => { socket.destroy(); resolve(text.split('\r\n').at(commands.length - 1)); };
      socket.on('data', (chunk) => {
        text += chunk;
        if (text.split('\r\n').length > commands.length) give();
      });
      socket.on('error', give);
    });
  }
}

function encode(command) {
  const words = command.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
  return `*${words.length}\r\n${words.join('')}`;
}

/** A backend that listens to its site's channels, the way Redis' own protocol has it. */
export class Listener {
  constructor({ host, port, user, password, pattern }) {
    this.heard = [];
    this.errors = [];
    this.ready = new Promise((resolve) => {
      this.socket = net.connect(port, host, () => {
        this.socket.write(encode(['AUTH', user, password]));
        this.socket.write(encode(['PSUBSCRIBE', pattern]));
      });
      let text = '';
      this.socket.on('data', (chunk) => {
        text += chunk.toString('utf8');
        for (const line of text.split('\r\n').slice(0, -1)) {
          if (line.startsWith('-')) this.errors.push(line);
          if (line.startsWith('{')) this.heard.push(JSON.parse(line));
          if (line === 'psubscribe' || line.startsWith('-')) resolve();
        }
        text = text.split('\r\n').at(-1);
      });
      this.socket.on('error', (error) => { this.errors.push(error.message); resolve(); });
      this.socket.on('close', () => { this.closed = true; });
    });
  }

  async hears(wanted, patience = 10_000) {
    for (const end = Date.now() + patience; Date.now() < end; await sleep(20)) {
      const found = this.heard.find(wanted);
      if (found) return found;
    }
    throw new Error(`not heard; heard: ${JSON.stringify(this.heard)}, errors: ${this.errors}`);
  }

  close() {
    this.socket.destroy();
  }
}
