/**
 * `deno run -A bench/watch_load.ts [SECONDS]`: measures watchers with 10,000
 * changes ten times per second: five watchers, and a sixth client that
 * subscribes and never reads. It prints the changes that each watcher received,
 * its lag, and the server's memory.
 *
 * The server is a process, first with the embedded broker, then with Mosquitto
 * if installed. Load and watchers run in this process.
 *
 * @module
 */
import { startMosquitto } from "../tests/support/mosquitto.ts";
import { findTool } from "../tests/support/needs.ts";
import { occupancy } from "../tests/support/processes.ts";
import { RawConnection } from "../tests/support/raw_connection.ts";
import { freePort } from "../tests/support/temp.ts";
import { watchLoad } from "../tests/support/watch_load.ts";
import { memoryOf } from "./harness/meter.ts";

const seconds = Number(Deno.args[0] ?? 60);

async function run(kind: string, port: number, args: string[]): Promise<void> {
  await using server = occupancy(["server", "--store", "memory:", ...args]);
  await server.waitFor(/Ready/);
  const residentMiB = () => memoryOf(server.pid).now / 2 ** 20;
  const memory = [residentMiB()];
  const sampling = setInterval(() => memory.push(residentMiB()), 1000);
  await using frozen = await RawConnection.open(port, "frozen");
  await frozen.subscribe("occupancy/changes");
  frozen.freeze();
  const results = await watchLoad({
    url: `mqtt://127.0.0.1:${port}`,
    watchers: 5,
    cells: 10_000,
    perSecond: 10,
    seconds,
  });
  clearInterval(sampling);
  console.log(
    `\n${kind}, ${seconds} s: server's memory ${
      memory[0]!.toFixed(0)
    } MiB at the start, ${Math.max(...memory).toFixed(0)} at its peak, ${
      memory.at(-1)!.toFixed(0)
    } at the end`,
  );
  console.table(results);
}

const port = freePort();
await run("embedded broker", port, ["--listen", `127.0.0.1:${port}`]);
if (findTool("mosquitto") !== undefined) {
  await using mosquitto = await startMosquitto(["set_tcp_nodelay true"]);
  await run("Mosquitto", mosquitto.port, ["--broker", mosquitto.url]);
}
