/**
 * Ten times a second 10,000 changes, for a minute, with five watchers and one
 * that subscribes and never reads: none of the five may fall behind or miss
 * anything, and the server's memory must stay bounded.
 *
 *     deno run -A bench/watch_load.ts [seconds]
 *
 * The server is a process of its own, with the embedded broker and then with
 * Mosquitto, if it is installed; load and watchers share this one.
 *
 * @module
 */
import { startMosquitto } from "../tests/support/mosquitto.ts";
import { findTool } from "../tests/support/needs.ts";
import { occupancy } from "../tests/support/processes.ts";
import { encodeConnect, encodeSubscribe } from "../tests/support/raw_mqtt.ts";
import { freePort } from "../tests/support/temp.ts";
import { residentMiB, watchLoad } from "../tests/support/watch_load.ts";

const seconds = Number(Deno.args[0] ?? 60);

async function run(kind: string, port: number, args: string[]): Promise<void> {
  await using server = occupancy(["server", "--store", "memory:", ...args]);
  await server.said(/Ready/);
  const memory = [residentMiB(server.pid) ?? NaN];
  const watching = setInterval(
    () => memory.push(residentMiB(server.pid) ?? NaN),
    1000,
  );
  using frozen = await Deno.connect({ hostname: "127.0.0.1", port });
  await frozen.write(encodeConnect("frozen"));
  await frozen.write(encodeSubscribe(1, "occupancy/changes", 0));
  const followed = await watchLoad({
    url: `mqtt://127.0.0.1:${port}`,
    watchers: 5,
    cells: 10_000,
    perSecond: 10,
    seconds,
  });
  clearInterval(watching);
  console.log(
    `\n${kind}, ${seconds} s: server's memory ${
      memory[0]!.toFixed(0)
    } MiB at first, ${Math.max(...memory).toFixed(0)} at most, ${
      memory.at(-1)!.toFixed(0)
    } at last`,
  );
  console.table(followed);
}

const port = freePort();
await run("embedded broker", port, ["--listen", `127.0.0.1:${port}`]);
if (findTool("mosquitto") !== undefined) {
  await using mosquitto = await startMosquitto(["set_tcp_nodelay true"]);
  await run("Mosquitto", mosquitto.port, ["--broker", mosquitto.url]);
}
