/** A disk that becomes full in the middle of a checkpoint of the store. */
import assert from "node:assert/strict";
import { delay } from "../../src/common/async.ts";
import { needs } from "../support/needs.ts";
import { encodePublish } from "../support/packets.ts";
import { occupancy } from "../support/processes.ts";
import { RawConnection } from "../support/raw_connection.ts";
import {
  needsMount,
  type SmallDisk,
  smallDisk,
} from "../support/small_disk.ts";
import { freePort } from "../support/temp.ts";
import { until } from "../support/until.ts";
import { queryNumber } from "../store/support.ts";
import { requestMap, serverArgs } from "./support.ts";

const DISK_MIB = 40;
/** Cells of a message. Each is in a tile of its own. */
const CELLS = 1000;
/** Messages with other cells, until the cells repeat: 200,000 tiles. */
const GROUPS = 200;
const TILE_SIDE = 32;
/**
 * A checkpoint begins when the journal has 8 MiB, after about 1,800 messages,
 * and needs hundreds of commits.
 */
const MESSAGES_BEFORE = 1900;
const WINDOW = 20;

/** Publishes messages at QoS 1: message m sets its cells to m. */
class Publisher {
  readonly #raw: RawConnection;
  #sent = 0;
  #acknowledged = 0;

  constructor(raw: RawConnection) {
    this.#raw = raw;
  }

  get sent(): number {
    return this.#sent;
  }

  get acknowledged(): number {
    this.#acknowledged += this.#raw.takeReceived("puback").length;
    return this.#acknowledged;
  }

  /** Sends until a number of messages was sent, few of them unacknowledged. */
  async send(until_: number): Promise<void> {
    while (this.#sent < until_) {
      await until(() => this.#sent - this.acknowledged < WINDOW);
      await this.#sendOne();
    }
  }

  /** Sends until an end, or until the server closes the connection. */
  async sendUntil(isEnded: () => boolean): Promise<void> {
    try {
      while (!isEnded()) {
        if (this.#sent - this.acknowledged < WINDOW) await this.#sendOne();
        else await delay(1);
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
    }
  }

  async untilAcknowledged(): Promise<void> {
    await until(() => this.acknowledged === this.#sent, {
      deadline: 20_000,
      what: () => `${this.#sent} PUBACKs, ${this.#acknowledged} received`,
    });
  }

  async #sendOne(): Promise<void> {
    const message = this.#sent++;
    const first = message % GROUPS * CELLS;
    const rows = Array.from(
      { length: CELLS },
      (_, i) => `${(first + i) * TILE_SIDE},0,${message}`,
    );
    await this.#raw.write(
      encodePublish("occupancy/data", rows.join("\n"), { id: message + 1 }),
    );
  }
}

/** Asserts that the map has all acknowledged messages. */
async function assertAcknowledged(port: number, count: number): Promise<void> {
  await using client = await RawConnection.open(port, "judge");
  for (let group = 0; group < GROUPS; group++) {
    const last = count - 1 - (count - 1 - group + GROUPS) % GROUPS;
    const { cells } = await requestMap(client, {
      region: [
        group * CELLS * TILE_SIDE,
        0,
        ((group + 1) * CELLS - 1) * TILE_SIDE,
        0,
      ],
    });
    assert.equal(cells.length, CELLS);
    for (const [x, , value] of cells) {
      assert.ok(value! >= last, `${x} is ${value}, ${last} was acknowledged`);
      assert.equal(value! % GROUPS, group);
    }
  }
}

/** A server whose disk becomes full in the middle of its first checkpoint. */
async function start(disk: SmallDisk) {
  const port = freePort();
  // The history of so many tiles would not be written within the end.
  const args = [...serverArgs(port, disk.path), "--no-history"];
  await using stack = new AsyncDisposableStack();
  const server = stack.use(occupancy(args));
  await server.waitFor(/Ready/);
  const raw = stack.use(await RawConnection.open(port, "sensor"));
  const publisher = new Publisher(raw);
  await publisher.send(MESSAGES_BEFORE);
  await publisher.untilAcknowledged();
  await disk.fill();
  const isFull = () => /disk is full. Readings stay unack/.test(server.stderr);
  await publisher.sendUntil(isFull);
  const moved = stack.move();
  return {
    args,
    port,
    server,
    publisher,
    path: `${disk.path}/map.sqlite`,
    [Symbol.asyncDispose]: () => moved.disposeAsync(),
  };
}

/** The file has a part of a checkpoint, and no complete one. */
async function assertUnfinished(path: string): Promise<void> {
  const completed = "SELECT value FROM meta WHERE key = 'journal'";
  assert.equal(await queryNumber(path, completed), 0);
  assert.ok(await queryNumber(path, "SELECT count(*) FROM chunk") > 0);
}

const ignore = needs().ignore || needsMount().ignore;

Deno.test({
  name:
    "a disk that is full in the middle of a checkpoint: nothing acknowledged is lost, and the server recovers",
  ignore,
  fn: async () => {
    await using disk = await smallDisk(DISK_MIB);
    await using started = await start(disk);
    const { server, publisher, port, path, args } = started;
    assert.ok(publisher.acknowledged < publisher.sent);
    await disk.free();
    await server.waitFor(/waiting readings are stored/);
    await publisher.untilAcknowledged();
    await publisher.send(publisher.sent + 200);
    await publisher.untilAcknowledged();
    const all = publisher.acknowledged;
    await assertAcknowledged(port, all);
    server.kill("SIGTERM");
    assert.equal((await server.ended()).code, 0, server.stderr);
    assert.equal(await queryNumber(path, "SELECT count(*) FROM journal"), 0);
    await using again = occupancy(args);
    await again.waitFor(/Ready/);
    await assertAcknowledged(port, all);
  },
});

Deno.test({
  name:
    "a server that is killed on a disk that is full in the middle of a checkpoint: nothing acknowledged is lost",
  ignore,
  fn: async () => {
    await using disk = await smallDisk(DISK_MIB);
    await using started = await start(disk);
    const { server, publisher, port, path, args } = started;
    server.kill("SIGKILL");
    await server.ended();
    const all = publisher.acknowledged;
    assert.ok(all < publisher.sent);
    await disk.free();
    await assertUnfinished(path);
    await using again = occupancy(args);
    await again.waitFor(/Ready/);
    await assertAcknowledged(port, all);
  },
});
