/** Clients that try tokens. */
import assert from "node:assert/strict";
import { Token } from "../../src/http/mod.ts";
import { LoginFailures } from "../../src/common/login_failures.ts";
import { startServer } from "../http/support.ts";
import { needs } from "../support/needs.ts";
import { occupancy } from "../support/processes.ts";
import { tempDir } from "../support/temp.ts";
import { until, within } from "../support/until.ts";

const SECRET = "correct-horse-battery-staple";
const RIGHT = { authorization: `Bearer ${SECRET}` };
/** Longer than any test: its answers are sent when the server ends. */
const HOUR_MS = 3_600_000;
/** Answers to one address that wait at the same time. */
const WAITING = 8;

Deno.test({
  name:
    "a flood of wrong tokens: the answers wait, the further ones are 429, a right token passes at once",
  ...needs(),
  fn: async () => {
    const token = new Token(SECRET);
    const [cookie = ""] = token
      .cookieHeader({ secure: false, embedded: false }).split(";");
    const waiting: Promise<number>[] = [];
    let early = 0;
    {
      await using server = await startServer({
        token,
        wrongTokens: new LoginFailures({ firstDelayMs: HOUR_MS }),
      });
      const send = async (path: string, init: RequestInit) => {
        const response = await fetch(server.url + path, {
          redirect: "manual",
          ...init,
        });
        await response.body?.cancel();
        return response;
      };
      const form = (secret: string) => ({
        method: "POST",
        body: new URLSearchParams({ token: secret }),
      });
      const bearer = { headers: { authorization: `Bearer ${SECRET}x` } };
      const wrong: (readonly [string, RequestInit])[] = [
        ["/api/v1/cells", bearer],
        ["/api/v1/changes", bearer],
        ["/live", bearer],
        ["/nothing", bearer],
        ["/", { headers: { ...bearer.headers, accept: "text/html" } }],
        ["/metrics", { headers: { cookie: `${cookie}x` } }],
        ["/api/v1/readings", { method: "POST", body: "1,1,1", ...bearer }],
        ["/", form("a wrong one")],
      ];
      for (const [path, init] of wrong) {
        const sent = send(path, init).then(({ status }) => status);
        waiting.push(sent);
        sent.then(() => early++);
      }
      const counted = async (limit: string) => {
        const metrics = await (await fetch(`${server.url}/metrics`, {
          headers: RIGHT,
        })).text();
        return Number(metrics.split(`{limit="${limit}"} `)[1]?.split("\n")[0]);
      };
      await until(async () => await counted("http-wrong-token") === WAITING);
      assert.equal(early, 0);

      for (const [path, init] of wrong) {
        const { status, headers } = await within(
          send(path, init),
          `an answer to ${path}`,
        );
        assert.equal(status, 429, path);
        assert.equal(headers.get("retry-after"), "4");
      }
      assert.equal(await counted("http-wrong-token-delays"), wrong.length);

      // Behind a reverse proxy all clients have one address.
      const right: (readonly [string, RequestInit, number])[] = [
        ["/api/v1/cells", { headers: RIGHT }, 200],
        ["/api/v1/cells", { headers: { cookie } }, 200],
        ["/api/v1/changes", { headers: RIGHT }, 200],
        ["/", form(SECRET), 303],
      ];
      for (const [path, init, status] of right) {
        const answer = await within(send(path, init), `an answer to ${path}`);
        assert.equal(answer.status, status, path);
      }
      const socket = new WebSocket(
        `${server.url.replace("http", "ws")}/live`,
        // Deno's own option; the types of browsers do not have it.
        { headers: RIGHT } as unknown as string[],
      );
      await until(() => socket.readyState === WebSocket.OPEN);
      socket.close();
      await until(() => socket.readyState === WebSocket.CLOSED);
      // No token at all is not a try.
      assert.equal((await send("/api/v1/cells", {})).status, 401);
      assert.equal(early, 0);
    }
    const statuses = await within(Promise.all(waiting), "the waiting answers");
    assert.deepEqual(new Set(statuses), new Set([401]));
  },
});

Deno.test({
  name: "wrong tokens write one line a minute into the log",
  ...needs(),
  fn: async () => {
    await using folder = await tempDir();
    const file = await folder.file("token", SECRET);
    await Deno.chmod(file, 0o600);
    await using server = occupancy([
      ...["server", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"],
      ...["--http-token-file", file],
    ]);
    const [, url] = await server.waitFor(/Dashboard at (\S+) /);
    await server.waitFor(/Ready:/);
    const answers = await Promise.all(
      Array.from({ length: 100 }, async (_, i) => {
        const response = await fetch(`${url}api/v1/cells`, {
          headers: { authorization: `Bearer wrong-${i}` },
        });
        await response.body?.cancel();
        return response.status;
      }),
    );
    assert.equal(answers.filter((status) => status === 401).length, WAITING);
    assert.equal(answers.filter((status) => status === 429).length, 92);
    const lines = () => server.stderr.match(/wrong HTTP token.*/g);
    assert.deepEqual(lines(), ["wrong HTTP token from 127.0.0.1"]);
    server.kill();
    await server.ended();
    assert.deepEqual(lines(), [
      "wrong HTTP token from 127.0.0.1",
      "wrong HTTP token from 127.0.0.1 (and 98 more in the last minute)",
    ]);
  },
});
