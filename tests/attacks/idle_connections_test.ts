/** Connections that send nothing, or a part of a request. */
import assert from "node:assert/strict";
import { RawClient } from "../http/listener/raw_client.ts";
import { rawRequest } from "../http/raw_http.ts";
import { startServer } from "../http/support.ts";
import { needs } from "../support/needs.ts";
import { encodeConnect } from "../support/packets.ts";
import { DENO_RUN, ROOT, Running } from "../support/processes.ts";
import { RawConnection } from "../support/raw_connection.ts";
import { freePort, tempDir } from "../support/temp.ts";
import { until } from "../support/until.ts";

const DESCRIPTORS = 1024;
const SECRET = "correct-horse-battery-staple";

/** A server process with few file descriptors, and a good client of it. */
class SmallServer implements AsyncDisposable {
  readonly mqttPort = freePort();
  readonly #httpPort = freePort();
  readonly #running: Running;
  readonly #connections: Deno.Conn[] = [];

  constructor(tokenFile: string) {
    this.#running = new Running("sh", [
      "-c",
      `ulimit -n ${DESCRIPTORS} && exec "$0" "$@"`,
      Deno.execPath(),
      ...DENO_RUN,
      "--allow-all",
      `${ROOT}main.ts`,
      ...["server", "--listen", `127.0.0.1:${this.mqttPort}`],
      ...["--http", `127.0.0.1:${this.#httpPort}`],
      ...["--http-token-file", tokenFile],
    ]);
  }

  async waitUntilReady(): Promise<void> {
    await this.#running.waitFor(/Ready/);
  }

  /** Opens connections to a port. They send only what is given. */
  async open(port: number, count: number, bytes?: Uint8Array): Promise<void> {
    for (let i = 0; i < count; i++) {
      const connection = await Deno.connect({ hostname: "127.0.0.1", port });
      this.#connections.push(connection);
      if (bytes !== undefined) await connection.write(bytes);
    }
  }

  openHttp(count: number): Promise<void> {
    return this.open(this.#httpPort, count);
  }

  /** Closes the connections of {@linkcode open}. */
  closeAll(): void {
    for (const connection of this.#connections.splice(0)) connection.close();
  }

  async get(path: string, init: RequestInit = {}): Promise<Response> {
    return await fetch(`http://127.0.0.1:${this.#httpPort}${path}`, {
      ...init,
      headers: { authorization: `Bearer ${SECRET}` },
    });
  }

  async getOnNewConnection(path: string): Promise<number> {
    const { status } = await rawRequest(`http://127.0.0.1:${this.#httpPort}`, [
      `GET ${path} HTTP/1.1`,
      "Host: localhost",
      `Authorization: Bearer ${SECRET}`,
    ]);
    return status;
  }

  /** Returns the status of GET /readyz and the codes of its reasons. */
  async readiness(): Promise<string> {
    const response = await this.get("/readyz");
    const { reasons = [] } = await response.json();
    const codes = reasons.map(({ code }: { code: string }) => code);
    return [response.status, ...codes].join(" ");
  }

  async post(body: string): Promise<number> {
    const response = await this.get("/api/v1/readings", {
      method: "POST",
      body,
    });
    await response.body?.cancel();
    return response.status;
  }

  /** Ends the server; it must end by itself, without an error. */
  async stop(): Promise<void> {
    this.closeAll();
    this.#running.kill();
    const { code, stderr } = await this.#running.ended();
    assert.equal(code, 0, stderr);
    assert.doesNotMatch(stderr, /Uncaught|Too many open files/);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.closeAll();
    await this.#running[Symbol.asyncDispose]();
  }
}

Deno.test({
  name:
    "1,000 idle HTTP connections of the same address: a good client is served, MQTT works",
  ...needs("sh"),
  fn: async () => {
    await using dir = await tempDir();
    await using server = new SmallServer(await dir.file("token", SECRET));
    await server.waitUntilReady();
    for (let i = 1; i <= 10; i++) {
      await server.openHttp(100);
      assert.equal(await server.post(`${i},1,1`), 200);
      assert.equal(await server.getOnNewConnection("/api/v1/layers"), 200);
    }
    assert.equal(await server.readiness(), "200");
    {
      await using client = await RawConnection.open(server.mqttPort, "good");
      await client.ping();
    }
    const metrics = await (await server.get("/metrics")).text();
    const closed =
      /occupancy_limited_total\{limit="http-connections-per-address"\} (\d+)/
        .exec(metrics)?.[1];
    assert.ok(Number(closed) > 500, metrics);
    const open = /^occupancy_http_connections (\d+)/m.exec(metrics)?.[1];
    assert.ok(Number(open) <= 256, `${open} connections are open`);
    await server.stop();
  },
});

Deno.test({
  name:
    "MQTT clients use up all file descriptors: /readyz is 503, and both listeners accept again after it",
  ...needs("sh"),
  fn: async () => {
    await using dir = await tempDir();
    await using server = new SmallServer(await dir.file("token", SECRET));
    await server.waitUntilReady();
    assert.equal(await server.readiness(), "200"); // its connection stays open
    const { mqttPort } = server;
    for (let i = 0; i < 1100; i++) {
      await server.open(mqttPort, 1, encodeConnect(`c${i}`));
    }
    await until(async () => {
      const state = await server.readiness();
      assert.match(state, /^200|^503/);
      return state.includes("no-mqtt-connections") && state;
    }, { what: "503 of /readyz", deadline: 20_000 });
    server.closeAll();
    await until(async () => await server.readiness() === "200", {
      what: "200 of /readyz",
      deadline: 20_000,
    });
    await using client = await RawConnection.open(mqttPort, "good");
    await client.ping();
    await server.openHttp(1);
    assert.equal(await server.post("1,1,1"), 200);
    await server.stop();
  },
});

Deno.test({
  name:
    "all connections have a request: the next is 503, and slow clients lose theirs to it",
  ...needs(),
  fn: async () => {
    await using server = await startServer({
      connectionLimits: { connections: 8, connectionsPerAddress: 8 },
      timeouts: { slow: 1000 },
    });
    const streams: RawClient[] = [];
    const senders: RawClient[] = [];
    try {
      for (let i = 0; i < 4; i++) {
        streams.push(await RawClient.connect(server.url));
        await streams[i]!.request("/api/v1/changes");
        await streams[i]!.until("event: changes");
        senders.push(await RawClient.connect(server.url));
        await senders[i]!.send(
          "POST /api/v1/readings HTTP/1.1\r\nHost: localhost\r\n" +
            "Content-Length: 100\r\n\r\n1,",
        );
      }
      await until(async () => {
        using client = await RawClient.connect(server.url);
        await client.request("/healthz");
        const answer = await client.rest();
        return /^HTTP\/1\.1 503 [^]*too-many-connections/.test(answer);
      });
      // A good client that tries again, as Retry-After says.
      await until(async () => {
        using client = await RawClient.connect(server.url);
        await client.request("/healthz");
        return (await client.response()).status === 200;
      });
      await senders[0]!.rest(); // closed
      server.publish("5,5,5"); // the streams are not slow
      for (const stream of streams) await stream.until("[5,5,5,");
    } finally {
      for (const client of [...streams, ...senders]) client[Symbol.dispose]();
    }
  },
});
