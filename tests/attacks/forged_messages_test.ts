/**
 * Messages that another client forges, through a broker without access rules:
 * replies, deltas and the state of the server.
 */
import assert from "node:assert/strict";
import { needs, requireTool } from "../support/needs.ts";
import { encodePublish } from "../support/packets.ts";
import { Running, runOccupancy } from "../support/processes.ts";
import { RawConnection } from "../support/raw_connection.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { startSystem } from "../support/system.ts";
import { until } from "../support/until.ts";

const STATE = "occupancy/server/state";

/** What a client publishes that does not know the transaction. */
function forgeries(): (string | Uint8Array)[] {
  const header =
    '"status":"ok","revision":1,"time":1769860800000,"part":1,"cells":[]';
  return [
    "",
    "garbage\x1b[2J\u202e",
    new Uint8Array(100_000),
    '{"status":"error","error":{"code":"forged","message":"forged"}}',
    `{${header},"layer":"default","parts":1}`,
    `{${header},"layer":"default","parts":1,"transaction":"forged"}`,
    `{${header},"layer":"default","parts":1e300,"transaction":"forged"}`,
    "{(1, 2): 666",
    '#{"status":"ok"}\nx,y,value,time\n1,2,666,0\n',
  ];
}

/** A client that answers each request with forgeries, before the server does. */
class Forger implements AsyncDisposable {
  readonly #connection: RawConnection;
  readonly #done: Promise<void>;
  /** The requests that it has seen. */
  requests = 0;

  private constructor(connection: RawConnection) {
    this.#connection = connection;
    this.#done = this.#run();
  }

  static async start(port: number): Promise<Forger> {
    const connection = await RawConnection.open(port, "forger");
    await connection.subscribe("occupancy/request");
    return new Forger(connection);
  }

  async #run(): Promise<void> {
    for await (const packet of this.#connection) {
      if (packet.cmd !== "publish") continue;
      this.requests++;
      const replyTo = replyTopicOf(packet.payload.toString());
      await this.#connection.write(
        ...forgeries().map((payload) => encodePublish(replyTo, payload)),
      );
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection[Symbol.asyncDispose]();
    await this.#done;
  }
}

function replyTopicOf(request: string): string {
  return request.startsWith("{")
    ? JSON.parse(request).replyTo
    : "occupancy/response"; // of the original wire
}

Deno.test({
  name: "forged replies: request, client and watch print the server's map",
  ...needs("mosquitto"),
  fn: async () => {
    await using system = await startSystem("mosquitto");
    await using forger = await Forger.start(system.port);
    await using other = await RawConnection.open(system.port, "other");
    await other.write(
      ...forgeries().map((payload) =>
        encodePublish("occupancy/response", payload, { retain: true })
      ),
    );
    const commands = [
      ["client", "-f", "-", "--json"],
      ["request", "--json"],
      ["request", "--json", "--wire", "original"],
      ["request", "--json", "--watch", "--for", "1s"],
    ];
    for (const [command, ...args] of commands) {
      const { code, stdout, stderr } = await runOccupancy(
        [command!, "--broker", system.url, ...args],
        { input: "1,2,3\n" },
      );
      assert.equal(code, 0, `${command} ${args}: ${stderr}`);
      assert.match(stdout, /\[1,2,3\b/);
      assert.doesNotMatch(stdout + stderr, /666|forged/);
    }
    assert.ok(forger.requests >= commands.length);
  },
});

Deno.test({
  name:
    "forged replies without a server: request ends at its deadline and names what it ignored",
  ...needs("mosquitto"),
  fn: async () => {
    await using broker = await startMosquitto();
    await using _forger = await Forger.start(broker.port);
    const { code, stdout, stderr } = await runOccupancy([
      ...["request", "--broker", broker.url, "--timeout", "2s"],
    ]);
    assert.equal(code, 5, stderr);
    assert.equal(stdout, "");
    assert.match(
      stderr,
      /^occupancy: No server answered for "occupancy" within 2 s; ignored \d+ messages on occupancy\/response\/\S+, the last: .+\n {2}hint: Check --prefix and --wire/,
    );
  },
});

Deno.test({
  name:
    "a retained forgery on the reply topic: mosquitto_sub -R prints the server's reply",
  ...needs("mosquitto", "mosquitto_pub"),
  fn: async () => {
    await using system = await startSystem("mosquitto");
    await using forger = await RawConnection.open(system.port, "forger");
    await forger.write(
      encodePublish("occupancy/data", "1,2,1", { id: 1 }),
      encodePublish("occupancy/response", "{(1, 2): 666}", {
        id: 2,
        retain: true,
      }),
    );
    await forger.expectAll("puback", 2);
    const program = requireTool("mosquitto_sub");
    const at = ["-h", "127.0.0.1", "-p", String(system.port)];
    await using subscriber = new Running(program, [
      ...[...at, "-R", "-t", "occupancy/response", "-C", "1"],
    ]);
    const ended = subscriber.ended();
    let isEnded = false;
    ended.finally(() => isEnded = true);
    await until(async () => { // it does not say when it has subscribed
      await forger.write(encodePublish("occupancy/request", "get data"));
      return isEnded;
    });
    const { stdout } = await ended;
    assert.equal(stdout, "{(1, 2): 1}\n");
  },
});

Deno.test({
  name:
    "a forged state: the server publishes its own again, but causes no storm",
  ...needs("mosquitto"),
  fn: async () => {
    await using system = await startSystem("mosquitto");
    await using watcher = await RawConnection.open(system.port, "watcher");
    await watcher.subscribe(STATE);
    await using forger = await RawConnection.open(system.port, "forger");
    const name = "server-under-test";
    const states = [
      JSON.stringify({ state: "offline", name }),
      '{"state":"offline"}',
      "",
      "garbage",
    ];
    for (let i = 0; i < 250; i++) {
      await forger.write(
        ...states.map((state) => encodePublish(STATE, state, { retain: true })),
      );
    }
    await forger.ping();
    const payloads: string[] = [];
    await until(() => {
      payloads.push(
        ...watcher.takeReceived("publish").map(({ payload }) => `${payload}`),
      );
      return payloads.length > 100 && !states.includes(payloads.at(-1)!);
    });
    const own = payloads.filter((text) => !states.includes(text));
    assert.ok(own.length <= 5, `${own.length} states of the server`);
    assert.equal(JSON.parse(own.at(-1)!).state, "online");
    await using late = await RawConnection.open(system.port, "late");
    await late.subscribe(STATE);
    const { payload } = await late.take("publish");
    assert.equal(JSON.parse(`${payload}`).state, "online", "retained");
  },
});
