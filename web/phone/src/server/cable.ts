// One connection to the cable as this phone (protocol actioncable-v1-json). Action Cable's own client cannot be used: it
// connects again by itself with the protocols of the first time, and a proof is accepted once.

const PROTOCOL = 'actioncable-v1-json';
const CHANNEL = 'DeviceInboxChannel';
const IDENTIFIER = JSON.stringify({ channel: CHANNEL });

/** The server pings every 3 s; two missed ones mean that nobody is there, milliseconds. */
const STALE = 8_000;
/** Milliseconds before the first, second … new attempt; the last is repeated. */
const WAITS = [500, 1_000, 2_000, 4_000, 8_000];

export interface Ears {
  heard(message: Record<string, unknown>): void;
  /** True once subscribed; false when that is over. */
  connection(up: boolean): void;
}

interface Frame {
  type?: string;
  identifier?: string;
  message?: unknown;
}

export class InboxCable {
  #socket: WebSocket | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #watchdog: ReturnType<typeof setTimeout> | undefined;
  #tries = 0;
  #up = false;
  #closed = false;
  // Counts connections, so that one that was given up says no more.
  #turn = 0;

  constructor(private readonly url: string, private readonly proofs: () => Promise<string[]>, private readonly ears: Ears) {
    void this.#open();
  }

  get isUp(): boolean {
    return this.#up;
  }

  /** Connects at once where it is not connected: the network is back, or the app is looked at again. */
  nudge(): void {
    if (this.#closed || this.#up) return;
    this.#tries = 0;
    void this.#open();
  }

  close(): void {
    this.#closed = true;
    this.#drop();
  }

  async #open(): Promise<void> {
    this.#drop();
    const turn = this.#turn;
    const protocols = await this.proofs();
    if (turn !== this.#turn || this.#closed) return;
    const socket = this.#socket = new WebSocket(this.url, [PROTOCOL, ...protocols]);
    const current = (): boolean => turn === this.#turn;
    socket.onmessage = ({ data }) => { if (current()) this.#frame(JSON.parse(String(data)) as Frame); };
    socket.onclose = () => { if (current()) this.#lost(); };
    this.#watch();
  }

  #frame(frame: Frame): void {
    this.#watch();
    switch (frame.type) {
      case 'welcome':
        return this.#socket?.send(JSON.stringify({ command: 'subscribe', identifier: IDENTIFIER }));
      case 'confirm_subscription':
        this.#tries = 0;
        return this.#tell(true);
      case 'reject_subscription':
      case 'disconnect':
        return this.#lost();
      case undefined:
        if (frame.identifier === IDENTIFIER) this.ears.heard(frame.message as Record<string, unknown>);
        return undefined;
      default:
        return undefined;
    }
  }

  #watch(): void {
    clearTimeout(this.#watchdog);
    this.#watchdog = setTimeout(() => this.#lost(), STALE);
  }

  #lost(): void {
    this.#drop();
    if (this.#closed) return;
    const wait = WAITS[Math.min(this.#tries++, WAITS.length - 1)]!;
    // Phones that lost one server do not all come back at one moment.
    this.#timer = setTimeout(() => void this.#open(), wait * (0.5 + Math.random()));
  }

  #drop(): void {
    this.#turn++;
    clearTimeout(this.#timer);
    clearTimeout(this.#watchdog);
    this.#socket?.close();
    this.#socket = null;
    this.#tell(false);
  }

  #tell(up: boolean): void {
    if (up === this.#up) return;
    this.#up = up;
    this.ears.connection(up);
  }
}
