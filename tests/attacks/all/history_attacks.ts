/**
 * Attacks on the history of the map.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { encodePublish, encodeSubscribe } from "../../support/packets.ts";
import {
  type Attack,
  type AttackSocket,
  flood,
  head,
  hold,
  type Target,
} from "./attacker.ts";

/** Late readings are of this time: the history applies those of an hour. */
const LATE_MS = 3 * 3_600_000;
/** Cells of the large layer that get late readings. */
const LATE_CELLS = 100_000;
const ROW_CELLS = 1000;
/** Layers that are made and deleted; each client uses its own. */
const LAYER_CELLS = 200;
const CLIENTS = 12;

/** The largest questions about the past of a layer, as targets of requests. */
const QUESTIONS = [
  "map?at=now",
  "map?at=-1h&times=rfc3339",
  "changes?from=-50m&to=now",
  "utilisation?from=-30d&to=now",
  "series?from=-30d&to=now&step=1h",
  "series?from=-5d&to=now&step=15m",
  // They are refused: too many steps, and no zone of that name.
  "series?from=-300d&to=now&step=15m",
  "zones/none?from=-30d&to=now",
] as const;

/** The same over MQTT. */
const REQUESTS = [
  { at: "now" },
  { at: "-1m" },
  { from: "-30d", to: "now", step: "1h" },
  { from: "-100d", to: "now", step: "15m" },
] as const;

/** Attacks by name. */
export const HISTORY_ATTACKS: Readonly<Record<string, Attack>> = {
  "history-late-readings": {
    counted: ["history-late"],
    run: (target) =>
      flood(target, "late-readings", () => {
        const now = Date.now();
        const rows = Array.from({ length: 1000 }, () => {
          const cell = Math.floor(Math.random() * LATE_CELLS);
          const time = now - Math.floor(Math.random() * LATE_MS);
          const [x, y] = [cell % ROW_CELLS, Math.floor(cell / ROW_CELLS)];
          return `${x},${y},${Math.floor(Math.random() * 1e9)},${time}`;
        });
        const topic = `occupancy/data/${target.layer}`;
        return encodePublish(topic, rows.join("\n"));
      }),
  },
  "history-layers": {
    counted: [],
    run: (target) => {
      let next = 0;
      return hold(target, target.httpPort, CLIENTS, async (socket) => {
        const answers = new Answers(socket);
        while (!target.signal.aborted) {
          // Some names come again, with other cells.
          const layer = `deleted-${next++ % 500}`;
          const rows = Array.from(
            { length: LAYER_CELLS },
            () => `${int32()},${int32()},1`,
          );
          if (!await answers.ask(post(target, layer, rows.join("\n")))) return;
          const deletion = head(target, `DELETE /api/v1/layers/${layer}`);
          if (!await answers.ask(deletion)) return;
        }
      });
    },
  },
  "history-questions": {
    counted: ["http-large-responses"],
    run: async (target) => {
      const { layer } = target;
      let [path, request] = [0, 0];
      const replyTo = "occupancy/response/history";
      const packets = () =>
        Buffer.concat(Array.from({ length: 20 }, () => {
          const past = REQUESTS[request++ % REQUESTS.length];
          const payload = JSON.stringify({ ...past, layer, replyTo });
          return encodePublish("occupancy/request", payload);
        }));
      let isSubscribed = false;
      await Promise.all([
        hold(target, target.httpPort, 2 * CLIENTS, async (socket) => {
          const answers = new Answers(socket);
          do {
            const question = QUESTIONS[path++ % QUESTIONS.length]!;
            const query = `${question}${question.includes("?") ? "&" : "?"}`;
            const line = `GET /api/v1/history/${query}layer=${layer}`;
            if (!await answers.ask(head(target, line))) return;
          } while (!target.signal.aborted);
        }),
        // Most replies are not read by a subscriber.
        flood(target, "history-requests", () => {
          if (isSubscribed) return packets();
          isSubscribed = true;
          return encodeSubscribe(replyTo);
        }),
        flood(target, "history-requests-2", packets),
      ]);
    },
  },
};

/** Waits for the answers on a connection, which begin with a status line. */
class Answers {
  readonly #socket: AttackSocket;
  #answered: (() => void) | undefined;

  constructor(socket: AttackSocket) {
    this.#socket = socket;
    socket.read((chunk) => {
      const end = Buffer.from(chunk).subarray(-5).toString("latin1");
      // Of a chunked answer, of JSON with a length, or of none.
      if (/(?:0\r\n\r\n|[\r\n}]\n?)$/.test(end)) this.#answered?.();
    });
  }

  /** Sends a request. Returns false if the connection has ended. */
  async ask(request: string): Promise<boolean> {
    const answered = new Promise<void>((resolve) => this.#answered = resolve);
    if (!await this.#socket.write(request)) return false;
    await Promise.race([answered, this.#socket.closed()]);
    return this.#socket.open;
  }
}

function post(target: Target, layer: string, body: string): string {
  return head(
    target,
    `POST /api/v1/readings?layer=${layer}`,
    `Content-Length: ${body.length}`,
  ) + body;
}

function int32(): number {
  return Math.floor(Math.random() * 2 ** 32) - 2 ** 31;
}
