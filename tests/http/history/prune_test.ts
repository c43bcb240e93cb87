/** `DELETE /api/v1/history`, over the history that the server has recorded. */
import assert from "node:assert/strict";
import { needs } from "../../support/needs.ts";
import { until } from "../../support/until.ts";
import { startServer } from "../support.ts";

/** 2026-11-28T11:00:00Z */
const START = Date.UTC(2026, 10, 28, 11);
const HOUR_MS = 3_600_000;
const PATH = "/api/v1/history";

function remove(query: string) {
  return [`${PATH}?${query}`, { method: "DELETE" }] as const;
}

Deno.test({
  name: "DELETE history deletes whole hours, and what remains is as before",
  ...needs(),
  fn: async () => {
    let now = START;
    await using server = await startServer({
      clock: () => now,
      recorded: { stepSeconds: 1, timezone: "Europe/Berlin" },
    });
    for (let hour = 0; hour < 6; hour++) {
      now = START + hour * HOUR_MS;
      await server.post(`1,1,${hour}\n2,2,${hour % 2}`);
      await until(async () => {
        const { cells = [] } = await server.json(`${PATH}/map?at=${now}`);
        return cells.some((cell: number[]) =>
          cell[0] === 1 && cell[2] === hour
        );
      });
    }
    const mapAt = (hours: number) =>
      server.json(`${PATH}/map?at=${START + hours * HOUR_MS + 60_000}`);
    const before = await Promise.all([2, 3, 4].map(mapAt));
    // 14:30 in Berlin.
    const to = "before=2026-11-28T14:30&timezone=Europe/Berlin";
    let answer = await server.json(...remove(to));
    // The hours are closed once a second.
    await until(async () => {
      answer = await server.json(...remove(to));
      return answer.oldest === START + 2 * HOUR_MS;
    });
    assert.equal(answer.done, true);
    assert.equal(answer.before, START + 2.5 * HOUR_MS);
    assert.ok(answer.bytes <= answer.bytesBefore);
    assert.deepEqual(
      (await Promise.all([2, 3, 4].map(mapAt))).map(({ cells }) =>
        cells.sort()
      ),
      before.map(({ cells }) => cells.sort()),
    );
    const gone = await mapAt(1);
    assert.equal(gone.status, 400);
    assert.equal(gone.code, "bad-time");
  },
});

Deno.test({
  name: "DELETE history refuses bad times, and pages of other origins",
  ...needs(),
  fn: async () => {
    await using server = await startServer({
      clock: () => START,
      recorded: { stepSeconds: 1 },
    });
    for (
      const [query, code] of [
        ["", "bad-time"],
        ["before=x", "bad-time"],
        ["before=-1d&timezone=Mars", "bad-timezone"],
        ["before=-1d&layer=a", "bad-parameter"],
      ] as const
    ) {
      const problem = await server.json(...remove(query));
      assert.deepEqual([problem.status, problem.code], [400, code], query);
    }
    const [path, init] = remove("before=-1d");
    const foreign = await server.get(path, {
      ...init,
      headers: { origin: "https://evil.example" },
    });
    assert.equal(foreign.status, 403);
    await foreign.body?.cancel();
    // Nothing is older.
    assert.equal((await server.json(path, init)).done, true);
    await using off = await startServer();
    const problem = await off.json(path, init);
    assert.deepEqual([problem.status, problem.code], [409, "history-off"]);
  },
});
