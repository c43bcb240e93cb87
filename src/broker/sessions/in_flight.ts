/**
 * The messages that were sent to a client and are not acknowledged, by packet
 * id.
 *
 * @module
 */

/** A message that has a packet id while it is in flight; 0: none. */
export interface WithPacketId {
  packetId: number;
}

/** Packet ids are 1 to 65,535 (2.2.1). */
const MAX_PACKET_ID = 65_535;
const MIN_SLOTS = 8;
const MAX_SLOTS = 65_536;

/**
 * Messages by packet id, in an array whose index is the lowest bits of the id.
 * Ids rise, and an id whose place is taken is skipped, so each step is one
 * access to the array.
 */
export class InFlight<T extends WithPacketId> {
  #slots: (T | undefined)[] = [];
  #count = 0;
  #lastId = 0;

  /** The number of messages. */
  get count(): number {
    return this.#count;
  }

  /**
   * Adds a message and gives it a packet id that no other has.
   *
   * @throws {RangeError} if all ids are in use
   */
  add(item: T): void {
    if (this.#count >= MAX_PACKET_ID) {
      throw new RangeError("all packet ids are in use");
    }
    this.#makeRoom();
    const mask = this.#slots.length - 1;
    let id = this.#lastId;
    do {
      id = id === MAX_PACKET_ID ? 1 : id + 1;
    } while (this.#slots[id & mask] !== undefined);
    item.packetId = this.#lastId = id;
    this.#slots[id & mask] = item;
    this.#count++;
  }

  /** Adds a message that has a packet id from before a restart. */
  restore(item: T): void {
    const { packetId } = item;
    while (
      this.#slots.length === 0 ||
      (this.#slots[packetId & (this.#slots.length - 1)] !== undefined)
    ) {
      if (this.#slots.length >= MAX_SLOTS) {
        throw new RangeError(`packet id ${packetId} is in use`);
      }
      this.#resize();
    }
    this.#slots[packetId & (this.#slots.length - 1)] = item;
    this.#count++;
    this.#lastId = packetId;
  }

  /** Returns the message with a packet id. */
  get(packetId: number): T | undefined {
    const item = this.#slots[packetId & (this.#slots.length - 1)];
    return item?.packetId === packetId ? item : undefined;
  }

  /** Removes a message. */
  delete(packetId: number): void {
    if (this.get(packetId) === undefined) return;
    this.#slots[packetId & (this.#slots.length - 1)] = undefined;
    // An idle client needs no array.
    if (--this.#count === 0 && this.#slots.length > MIN_SLOTS) {
      this.#slots = [];
    }
  }

  /** Returns all messages, in no order. */
  values(): T[] {
    return this.#slots.filter((item) => item !== undefined);
  }

  /** Keeps at least half of the places free, so that ids are found at once. */
  #makeRoom(): void {
    if (2 * this.#count < this.#slots.length) return;
    if (this.#slots.length < MAX_SLOTS) this.#resize();
  }

  /** Doubles the number of places. Different ids never collide in more. */
  #resize(): void {
    const items = this.values();
    const size = Math.max(MIN_SLOTS, 2 * this.#slots.length);
    this.#slots = new Array<T | undefined>(size).fill(undefined);
    for (const item of items) this.#slots[item.packetId & (size - 1)] = item;
  }
}
