/** `occupancy request` as a process. */
import assert from "node:assert/strict";
import { assertFailure } from "../../../support/assert_failure.ts";
import { startMosquitto } from "../../../support/mosquitto.ts";
import { needs, requireTool } from "../../../support/needs.ts";
import {
  DENO_RUN,
  type Ended,
  forEachAtOnce,
  ROOT,
  Running,
  runOccupancy,
} from "../../../support/processes.ts";
import { encodePublish } from "../../../support/packets.ts";
import { RawConnection } from "../../../support/raw_connection.ts";
import { startSystem, type System } from "../../../support/system.ts";
import { until } from "../../../support/until.ts";

const TIME = 1_760_000_000_000;

Deno.test({
  name: "request --region and --at accept negative coordinates",
  ...needs("mosquitto"),
  fn: async () => {
    await using system = await startSystem("mosquitto");
    await fill(system, "-3,-2,1\n4,5,0\n-1,4,2\n5,5,1\n-4,0,1\n0,0,-1");
    const cells = async (...flags: string[]) => {
      const { code, stdout, stderr } = await request(
        system.url,
        "--json",
        ...flags,
      );
      assert.equal(code, 0, stderr);
      return JSON.parse(stdout).cells.map((cell: number[]) =>
        cell.slice(0, 3).join()
      ).sort();
    };
    const inside = ["-1,4,2", "-3,-2,1", "0,0,-1", "4,5,0"];
    assert.deepEqual(await cells("--region", "-3,-2,4,5"), inside);
    assert.deepEqual(
      await cells("--region=4,5,-3,-2"),
      inside,
      "corners in any order",
    );
    assert.deepEqual(await cells("-r", "-4,0,-4,0"), ["-4,0,1"]);
    assert.deepEqual(await cells("--at=-1,4"), ["-1,4,2"]);
    assert.deepEqual(await cells("--at", "-1,4"), ["-1,4,2"]);
    assert.deepEqual(await cells("--at=9,9"), []);
    assert.equal((await cells()).length, 6);
  },
});

Deno.test({
  name: "request in a pipe prints x, y, value, status, time, sorted by row",
  ...needs("mosquitto"),
  fn: async () => {
    await using system = await startSystem("mosquitto");
    await fill(
      system,
      `2,0,1,${TIME}\n1,0,0,${TIME}\n0,-1,-1,${TIME}\n0,7,12,${TIME + 1}`,
    );
    const { code, stdout } = await request(system.url);
    assert.equal(code, 0);
    assert.equal(
      stdout,
      "0\t-1\t-1\tunknown\t2025-10-09T08:53:20.000Z\n" +
        "1\t0\t0\tfree\t2025-10-09T08:53:20.000Z\n" +
        "2\t0\t1\toccupied\t2025-10-09T08:53:20.000Z\n" +
        "0\t7\t12\toccupied\t2025-10-09T08:53:20.001Z\n",
    );
    const empty = await request(system.url, "--layer", "nowhere");
    assert.equal(empty.code, 0);
    assert.equal(empty.stdout, "");
  },
});

Deno.test({
  name: "request ends quietly when the reader closes the pipe",
  ...needs("mosquitto", "sh"),
  fn: async () => {
    await using system = await startSystem("mosquitto");
    const rows = Array.from({ length: 20_000 }, (_, i) => `${i},0,1,${TIME}`);
    await fill(system, rows.join("\n"), 20_000);
    const command = `"${Deno.execPath()}" ${
      DENO_RUN.join(" ")
    } --allow-net --allow-read --allow-env main.ts request --broker ${system.url} | head -n 1`;
    await using shell = new Running(requireTool("sh"), ["-c", command], {
      cwd: ROOT,
    });
    const { code, stdout, stderr } = await shell.ended();
    assert.equal(code, 0);
    assert.equal(stdout, "0\t0\t1\toccupied\t2025-10-09T08:53:20.000Z\n");
    assert.equal(stderr, "");
  },
});

Deno.test({
  name: "request --map of a layer without readings says so once",
  ...needs(),
  fn: async () => {
    await using system = await startSystem("embedded");
    const ended = await request(system.url, "--layer", "nolayer", "--map");
    assert.match(ended.stdout, /Nothing has been reported yet/);
    assert.equal(ended.stderr, "");
    const region = await request(system.url, "--map", "--at", "1,1");
    assert.doesNotMatch(region.stdout, /Nothing has been reported/);
    assert.match(region.stderr, /The cell 1,1 of layer default was never/);
  },
});

Deno.test({
  name: "request without a server exits with 5 and describes its state",
  ...needs("mosquitto"),
  fn: async () => {
    await using broker = await startMosquitto();
    const requestMap = () => request(broker.url, "--timeout", "200ms");
    assertFailure(
      await requestMap(),
      5,
      /No server answered for "occupancy" within 0\.2 s/,
      /occupancy server/,
    );
    await using client = await RawConnection.open(broker.port, "pretender");
    const publishState = async (state: string) => {
      await client.write(encodePublish(
        "occupancy/server/state",
        state,
        { retain: true, qos: 1, id: 1 },
      ));
      await client.take("puback");
    };
    await publishState('{"state":"offline"}');
    assertFailure(
      await requestMap(),
      5,
      /The server of "occupancy" is offline/,
      /Start/,
    );
    await publishState('{"state":"online"}');
    assertFailure(
      await requestMap(),
      5,
      /The server did not answer/,
      /--timeout/,
    );
    await publishState("nonsense");
    assertFailure(await requestMap(), 5, /No server answered/, /Start/);
  },
});

Deno.test({
  name: "request with wrong flags exits with 2 and a hint",
  ...needs(),
  fn: async () => {
    const cases: [args: string[], expected: RegExp][] = [
      [["--region", "1,2,3"], /four whole numbers/],
      [["--region", "a,b,c,d"], /four whole numbers/],
      [["--region", "0,0,1,2147483648"], /four whole numbers/],
      [["--region", "0,0,1,1e3"], /four whole numbers/],
      [["--at", "1"], /two whole numbers/],
      [["--at=NaN,1"], /two whole numbers/],
      [["--at", "1,1", "--region", "0,0,1,1"], /Cannot use --at with --region/],
      [["--timeout", "later"], /500ms/],
      [["--timeout", "0"], /Invalid --timeout "0"[^]*more than 0/],
      [["--json", "--format", "table"], /Cannot use --json with --format/],
      [["--json=yes"], /--json does not take a value/],
      [["--at", "--json"], /Missing value of --at/],
      [["--wire", "x"], /Invalid --wire "x"[^]*current or original/],
      [["--layer", ""], /layer name "" is empty/],
      [["--layer", "a/+"], /wildcard/],
      [["extra"], /Unexpected argument: extra/],
      [
        ["--brokr", "x"],
        /Unknown option: --brokr[^]*Did you mean --broker\?/,
      ],
      [["--broker", "http://127.0.0.1"], /Invalid scheme http/],
      [["--broker", "mqtt://"], /Invalid broker address/],
    ];
    await forEachAtOnce(cases, async ([args, expected]) => {
      const ended = await runOccupancy(["request", ...args]);
      assertFailure(ended, 2, expected, /./);
    });
    assertFailure(await runOccupancy(["nonsense"]), 2, /nonsense/, /--help/);
    assertFailure(
      await runOccupancy(["reqeust"]),
      2,
      /reqeust/,
      /mean request\?/,
    );
    const early = await runOccupancy(["--json", "request"]);
    assertFailure(early, 2, /Unknown option: --json/, /command first/);
    const bare = await runOccupancy([]);
    assert.equal(bare.code, 2);
    assert.match(bare.stderr, /Usage: occupancy/);
  },
});

Deno.test({
  name: "--help and --version print to stdout and exit 0",
  ...needs(),
  fn: async () => {
    for (const args of [["--help"], ["help", "client"], ["server", "-h"]]) {
      const { code, stdout, stderr } = await runOccupancy(args);
      assert.equal(code, 0);
      assert.match(stdout, /^Usage: occupancy/);
      assert.equal(stderr, "");
    }
    const { stdout } = await runOccupancy(["--version"]);
    assert.match(stdout, /^occupancy \d+\.\d+\.\d+( \(.+\))?\n$/);
  },
});

function request(broker: string, ...flags: string[]): Promise<Ended> {
  return runOccupancy(["request", "--broker", broker, ...flags]);
}

/** Publishes readings and waits until the map has them. */
async function fill(
  system: System,
  csv: string,
  cells = csv.split("\n").length,
): Promise<void> {
  await using client = await RawConnection.open(system.port, "filler");
  await client.write(encodePublish("occupancy/data", csv, { qos: 1, id: 1 }));
  await until(() => system.map.size === cells);
}
