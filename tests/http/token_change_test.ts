/** A changed token ends what the previous token opened. */
import assert from "node:assert/strict";
import { Token } from "../../src/http/mod.ts";
import { needs } from "../support/needs.ts";
import { until } from "../support/until.ts";
import { EventReader } from "./event_reader.ts";
import { startServer } from "./support.ts";

const OLD = "0123456789abcdef-old";
const NEW = "0123456789abcdef-new";

Deno.test({
  name:
    "setToken() ends viewers and streams of the old token, not those of an equal one",
  ...needs(),
  fn: async () => {
    await using server = await startServer({ token: new Token(OLD) });
    const headers = { authorization: `Bearer ${OLD}` };
    const socket = new WebSocket(
      `${server.url.replace("http", "ws")}/live`,
      // Deno's own option; the types of browsers do not have it.
      { headers } as unknown as string[],
    );
    const messages: { type: string; code?: string }[] = [];
    let closed: CloseEvent | undefined;
    socket.onmessage = ({ data }) => void messages.push(JSON.parse(data));
    socket.onclose = (event) => closed = event;
    await until(() => messages.length >= 2);
    const stream = await server.get("/api/v1/changes", { headers });
    await using events = new EventReader(stream);
    await events.next();
    assert.equal(server.viewers.current, 1);

    server.setToken(new Token(OLD));
    server.publish("1,1,1");
    assert.equal((await events.next())!.data.cells.length, 1);
    assert.equal(closed, undefined);

    server.setToken(new Token(NEW));
    assert.equal(await events.next(), undefined);
    const { code, reason } = await until(() => closed);
    assert.deepEqual([code, reason], [1008, "token-changed"]);
    const { type, code: last } = messages.at(-1)!;
    assert.deepEqual([type, last], ["gone", "token-changed"]);
    await until(() => server.viewers.current === 0);
    const again = await server.get("/api/v1/changes", { headers });
    assert.equal(again.status, 401);
    const changed = { authorization: `Bearer ${NEW}` };
    const open = await server.get("/api/v1/changes", { headers: changed });
    await using following = new EventReader(open);
    assert.equal((await following.next())!.data.cells.length, 1);
  },
});
