/** `occupancy history` against a server process that recorded, was killed, and started again. */
import assert from "node:assert/strict";
import { parquetReadObjects } from "hyparquet";
import { needs } from "../../../support/needs.ts";
import { occupancy, runOccupancy } from "../../../support/processes.ts";
import { tempDir } from "../../../support/temp.ts";
import { until } from "../../../support/until.ts";

Deno.test({
  name: "history shows what a server recorded before it was killed",
  ...needs(),
  fn: async () => {
    await using folder = await tempDir();
    const args = [
      ...["server", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"],
      ...["--store", `sqlite:${folder.path}/map.sqlite`, "--timezone", "UTC"],
    ];
    const urlOf = async (server: ReturnType<typeof occupancy>) =>
      (await server.waitFor(/Dashboard at (\S+)/))[1]!;
    const ask = async (url: string, ...more: string[]) => {
      const all = ["history", ...more, "--url", url];
      const { code, stdout, stderr } = await runOccupancy(all);
      assert.equal(code, 0, stderr);
      return stdout;
    };
    const before = Date.now();
    {
      await using server = occupancy(args);
      const url = await urlOf(server);
      const zone = ["set", "lobby", "--rect", "0,0,9,9", "--url", url];
      assert.equal((await runOccupancy(["zones", ...zone])).code, 0);
      const response = await fetch(`${url}api/v1/readings`, {
        method: "POST",
        body: "1,1,3\n2,2,0\n40,40,1",
      });
      assert.equal(response.status, 200);
      await response.body?.cancel();
      server.kill("SIGKILL");
      await server.ended();
    }
    await using server = occupancy(args);
    const url = await urlOf(server);
    await until(async () =>
      /^1,1,3,occupied,.*,true,default$/m.test(await ask(url, "--at", "now"))
    );
    const cells = await ask(url, "--at", "now", "--region", "0,0,9,9");
    assert.match(cells, /^2,2,0,free,\d{4}-.*Z,true,default$/m);
    assert.doesNotMatch(cells, /^40,40/m);
    const info = JSON.parse(await ask(url, "info", "--json"));
    assert.equal(info.recording, true);
    assert.equal(info.timezone, "UTC");
    assert.ok(info.oldest >= before - 1000, `${info.oldest} ${before}`);
    assert.ok(info.bytes > 0);
    const lobby = ["--zone", "lobby", "--step", "15m", "--from", "-15m"];
    const file = `${folder.path}/lobby.parquet`;
    await ask(url, ...lobby, "--format", "parquet", "-o", file);
    const { buffer } = await Deno.readFile(file);
    const rows = await parquetReadObjects({ file: buffer });
    assert.equal(rows.at(-1)!.most, 3);
    assert.ok(
      rows.at(-1)!.known < 1,
      "the server was not running all the time",
    );
    const use = await ask(url, "--utilisation", "--from", "-1h");
    assert.match(use, /^1,1,\d+,\d+,1,/m);
    server.kill("SIGTERM");
    assert.equal((await server.ended()).code, 0);
  },
});
