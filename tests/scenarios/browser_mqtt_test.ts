/// <reference lib="dom" />
/** mqtt.js on a page in a browser, over WebSocket to the embedded broker. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { hashPassword } from "../../src/broker/access/password.ts";
import { needs, requireTool } from "../support/needs.ts";
import { ROOT, Running } from "../support/processes.ts";
import { RawConnection } from "../support/raw_connection.ts";
import { freePort, tempDir } from "../support/temp.ts";
import { startBroker } from "./broker_state_support.ts";
import { requestMap } from "./support.ts";

const FOREIGN_HOST = "other.example";
const LARGE_BYTES = 1024 * 1024;

/** What a page does, with the mqtt.js of `browser_client.ts`. */
// deno-lint-ignore no-explicit-any
declare const mqtt: any;

/** A browser, and a server of pages under two host names. */
interface Pages extends AsyncDisposable {
  /** The page of the same host, or of another one. */
  readonly own: string;
  readonly foreign: string;
  open(url: string): Promise<Page>;
}

async function openPages(): Promise<Pages> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await tempDir());
  const script = `${folder.path}/client.js`;
  await using bundler = new Running(Deno.execPath(), [
    ...["bundle", "--quiet", "--lock", "--frozen", "--platform", "browser"],
    ...["--output", script, "tests/scenarios/browser_client.ts"],
  ], { cwd: ROOT });
  const { code, stderr } = await bundler.ended(60_000);
  assert.equal(code, 0, stderr);
  const text = await Deno.readTextFile(script);
  const server = stack.use(Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) =>
      new URL(request.url).pathname === "/client.js"
        ? new Response(text, { headers: { "content-type": "text/javascript" } })
        : new Response('<!doctype html><script src="client.js"></script>', {
          headers: { "content-type": "text/html" },
        }),
  ));
  const { port } = server.addr;
  const { chromium } = await import("playwright-core");
  const browser = await chromium.launch({
    executablePath: requireTool("chromium"),
    args: [`--host-resolver-rules=MAP ${FOREIGN_HOST} 127.0.0.1`],
  });
  stack.defer(() => browser.close());
  const moved = stack.move();
  return {
    own: `http://localhost:${port}`,
    foreign: `http://${FOREIGN_HOST}:${port}`,
    open: async (url) => {
      const page = await browser.newPage();
      await page.goto(url);
      return page;
    },
    [Symbol.asyncDispose]: () => moved.disposeAsync(),
  };
}

Deno.test({
  name:
    "mqtt.js in a browser publishes, receives 1 MB and connects again, MQTT 3.1.1 and 5",
  ...needs("chromium"),
  fn: async () => {
    await using folder = await tempDir();
    await using pages = await openPages();
    const ws = freePort();
    await using server = await startBroker(folder.path, [
      ...["--listen-ws", `127.0.0.1:${ws}`],
    ]);
    const page = await pages.open(pages.own);
    for (const version of [4, 5]) {
      await page.evaluate(async ([url, version]) => {
        const client = await mqtt.connectAsync(url, {
          protocolVersion: version,
          clientId: `page-${version}`,
          reconnectPeriod: 100,
        });
        const received: number[] = [];
        client.on(
          "message",
          (_topic: string, payload: Uint8Array) =>
            received.push(payload.length),
        );
        await client.subscribeAsync("page/#", { qos: 1 });
        Object.assign(globalThis, { client, received });
        await client.publishAsync("occupancy/data", `${version},1,1`, {
          qos: 1,
        });
      }, [`ws://127.0.0.1:${ws}`, version] as const);
      await page.evaluate(async (bytes) => {
        const { client } = globalThis as unknown as {
          client: typeof mqtt;
        };
        await client.publishAsync("page/large", new Uint8Array(bytes), {
          qos: 1,
        });
      }, LARGE_BYTES);
      await page.waitForFunction(
        (bytes) =>
          (globalThis as unknown as { received: number[] }).received
            .includes(bytes),
        LARGE_BYTES,
      );
      await server.kill();
      await server.start();
      await page.evaluate(async (version) => {
        const { client, received } = globalThis as unknown as {
          client: typeof mqtt;
          received: number[];
        };
        await client.publishAsync("occupancy/data", `${version},2,2`, {
          qos: 1,
        });
        // mqtt.js publishes before it subscribes again.
        while (!received.includes(1)) {
          await client.publishAsync("page/again", "1", { qos: 1 });
        }
      }, version);
      await page.evaluate(() =>
        (globalThis as unknown as { client: typeof mqtt }).client.endAsync()
      );
    }
    await using judge = await RawConnection.open(server.port, "judge");
    const { cells } = await requestMap(judge);
    assert.deepEqual(
      cells.map(([x, y, value]) => `${x},${y},${value}`).sort(),
      ["4,1,1", "4,2,2", "5,1,1", "5,2,2"],
    );
  },
});

/** Connects from a page. @returns "connected", or the error */
async function connectFrom(
  page: Page,
  port: number,
  login: { username?: string; password?: string } = {},
): Promise<string> {
  return await page.evaluate(async ([url, login]) => {
    try {
      const client = await mqtt.connectAsync(url, {
        ...login,
        reconnectPeriod: 0,
      }, false);
      await client.endAsync();
      return "connected";
    } catch (error) {
      return String(error);
    }
  }, [`ws://127.0.0.1:${port}`, login] as const);
}

Deno.test({
  name: "a page of another site needs a user, or its origin in --ws-origins",
  ...needs("chromium"),
  fn: async () => {
    await using pages = await openPages();
    const own = await pages.open(pages.own);
    const foreign = await pages.open(pages.foreign);
    const ws = freePort();
    const listen = ["--listen-ws", `127.0.0.1:${ws}`];
    {
      await using folder = await tempDir();
      await using server = await startBroker(folder.path, listen);
      assert.equal(await connectFrom(own, ws), "connected");
      assert.match(await connectFrom(foreign, ws), /Not authorized/);
      await server.running.waitFor(/a page of another site/);
    }
    {
      await using folder = await tempDir();
      await using _server = await startBroker(folder.path, [
        ...[...listen, "--ws-origins", pages.foreign],
      ]);
      assert.equal(await connectFrom(foreign, ws), "connected");
    }
    await using folder = await tempDir();
    const { text } = await hashPassword(
      new TextEncoder().encode("secret"),
      { ln: 4, r: 1, p: 1 },
    );
    const users = await folder.file("users", `user alice ${text}\n`);
    await Deno.chmod(users, 0o600);
    await using _server = await startBroker(folder.path, [
      ...[...listen, "--users", users, "--allow-anonymous"],
    ]);
    const login = { username: "alice", password: "secret" };
    assert.equal(await connectFrom(foreign, ws, login), "connected");
    assert.match(await connectFrom(foreign, ws), /Not authorized/);
  },
});
