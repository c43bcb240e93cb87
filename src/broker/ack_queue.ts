import type { Incoming, QoS } from "../mqtt/link.ts";

/** Lets the broker go on with a message: acknowledge it, then route it. */
export type Proceed = () => void;

/** One message's place in a {@linkcode Lane}. */
interface Turn {
  readonly proceed: Proceed;
  /** Bytes of memory to count for it. */
  readonly size: number;
  /** True if it waits only for those before it. */
  done: boolean;
  next: Turn | undefined;
}

/** Messages of one client that may wait unacknowledged before it is no longer read. */
const MAX_MESSAGES = 4096;
/** Their payload bytes. One more message, and one read of the socket, may come on top. */
const MAX_BYTES = 1024 * 1024;

/**
 * The messages of one client, which go on in the order in which they came, so
 * that acknowledgements leave in that order too, whatever they waited for
 * (MQTT 3.1.1, 4.6).
 */
export class Lane {
  #head: Turn | undefined;
  #tail: Turn | undefined;
  #messages = 0;
  #bytes = 0;

  /** True if so much waits that nothing more should be read from this client. */
  get full(): boolean {
    return this.#messages >= MAX_MESSAGES || this.#bytes >= MAX_BYTES;
  }

  /** A message that nobody holds: goes on at once, or after those that are held. */
  pass(proceed: Proceed): void {
    if (this.#head === undefined) proceed();
    else this.#push({ proceed, size: 0, done: true, next: undefined });
  }

  /** A message that goes on after {@linkcode release}. */
  hold(held: Held): void {
    this.#push(held);
  }

  /** Lets a held message go on, as soon as all before it have; once is enough. */
  release(held: Held): void {
    held.done = true;
    if (this.#head !== held) return;
    for (;;) {
      const turn: Turn | undefined = this.#head;
      if (turn === undefined || !turn.done) return;
      // Out before it goes on: that may bring the next messages in.
      this.#head = turn.next;
      if (turn.next === undefined) this.#tail = undefined;
      this.#messages--;
      this.#bytes -= turn.size;
      turn.proceed();
    }
  }

  #push(turn: Turn): void {
    if (this.#tail === undefined) this.#head = turn;
    else this.#tail.next = turn;
    this.#tail = turn;
    this.#messages++;
    this.#bytes += turn.size;
  }
}

/** What a {@linkcode Held} is made from. */
export interface Arrived {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: QoS;
}

/** An {@linkcode Incoming} that knows where its acknowledgement waits. */
export class Held implements Incoming, Turn {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: QoS;
  /** Always live: the tap is there before the first client, so nothing kept is replayed to it. */
  readonly retain = false;
  readonly lane: Lane;
  readonly proceed: Proceed;
  done = false;
  next: Turn | undefined = undefined;

  constructor(message: Arrived, lane: Lane, proceed: Proceed) {
    this.topic = message.topic;
    this.payload = message.payload;
    this.qos = message.qos;
    this.lane = lane;
    this.proceed = proceed;
  }

  get size(): number {
    return this.payload.byteLength;
  }
}
