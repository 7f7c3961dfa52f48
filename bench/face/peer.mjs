// One of those compared: a process that reads requests and writes answers, a line of JSON each.
import { spawn, spawnSync } from 'node:child_process';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { createInterface } from 'node:readline';

const ONE_THREAD = { OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1', RAYON_NUM_THREADS: '1' };
const MIB = 1024;

export class Peer {
  constructor(name, title, program, args) {
    Object.assign(this, { name, title, program, args, answers: [], running: false, reason: 'not installed' });
    this.core = cpus().length - 1;
    this.pinned = spawnSync('taskset', ['-c', String(this.core), 'true']).status === 0;
  }

  /** Starts the process and reads its versions. A peer without a program, or that ends, is skipped. */
  async start() {
    if (!this.program) return;
    const command = [...(this.pinned ? ['taskset', '-c', String(this.core)] : []), this.program, ...this.args];
    this.child = spawn(command[0], command.slice(1), { env: { ...process.env, ...ONE_THREAD }, stdio: ['pipe', 'pipe', 'pipe'] });
    let told = '';
    this.child.stderr.on('data', (text) => { told = `${told}${text}`.slice(-2000); });
    this.child.on('error', () => {});
    this.lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
    const { value } = await this.lines.next();
    this.told = () => told.trim().split('\n').at(-1);
    if (value === undefined) this.reason = this.told() || 'it ended at once';
    else Object.assign(this, { running: true, versions: JSON.parse(value).versions, cpuBefore: await this.#cpu() });
  }

  /** One request and its answer, which is kept. */
  async ask(request) {
    this.child.stdin.write(`${JSON.stringify(request)}\n`);
    const { value } = await this.lines.next();
    if (value === undefined) throw new Error(`${this.title} ended: ${this.told()}`);
    const answer = JSON.parse(value);
    this.answers.push(answer);
    this.cpuAfter = await this.#cpu();
    return answer;
  }

  /** Drops the answers so far. */
  forget() {
    this.answers = [];
    this.cpuBefore = this.cpuAfter;
  }

  stop() {
    this.child?.stdin.end();
  }

  medianOf(value) {
    const sorted = this.answers.map(value).filter((v) => v !== undefined).sort((a, b) => a - b);
    const middle = sorted.length >> 1;
    if (sorted.length === 0) return NaN;
    return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }

  bestOf(value) {
    return this.answers.length === 0 ? NaN : Math.min(...this.answers.map(value));
  }

  /** Milliseconds of processor time an answer, all threads; NaN where the system does not tell. */
  cpuPerAnswer() {
    return (this.cpuAfter - this.cpuBefore) / this.answers.length;
  }

  /** Linux tells how long each thread has been on a processor, in nanoseconds. */
  async #cpu() {
    try {
      const tasks = await readdir(`/proc/${this.child.pid}/task`);
      const times = await Promise.all(tasks.map((task) => readFile(`/proc/${this.child.pid}/task/${task}/schedstat`, 'utf8')));
      return times.reduce((sum, text) => sum + Number(text.split(' ')[0]), 0) / 1e6;
    } catch {
      return NaN;
    }
  }

  /** MiB resident before, and how many more at most while each of `photos` is looked at. Linux only. */
  async peakOverIdle(photos) {
    const status = async (field) => {
      const text = await readFile(`/proc/${this.child.pid}/status`, 'utf8');
      return Number(text.match(new RegExp(`^${field}:\\s+(\\d+)`, 'm'))[1]) / MIB;
    };
    try {
      const idle = await status('VmRSS');
      // Forgets the peak so far (proc(5), clear_refs).
      await writeFile(`/proc/${this.child.pid}/clear_refs`, '5');
      for (const photo of photos) await this.ask({ photo });
      return { idle, over: (await status('VmHWM')) - idle };
    } catch (error) {
      if (error.code === 'ENOENT' || error.code === 'EACCES') return undefined;
      throw error;
    }
  }
}
