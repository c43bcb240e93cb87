/** A client that watches a layer while it is deleted. */
import { needs } from "../support/needs.ts";
import { occupancy, type Running, runOccupancy } from "../support/processes.ts";
import { BROKERS, startSystem } from "../support/system.ts";
import { until } from "../support/until.ts";

/** Waits until a process has printed a text. */
async function printed(running: Running, pattern: RegExp): Promise<void> {
  await until(() => pattern.test(running.stdout), {
    what: () => `${pattern} in ${running.stdout}`,
  });
}

for (const kind of BROKERS) {
  Deno.test({
    name: `request --watch shows no cell of a deleted layer as known (${kind})`,
    ...needs(...(kind === "mosquitto" ? ["mosquitto"] as const : [])),
    fn: async () => {
      await using system = await startSystem(kind);
      const { url, server } = system;
      const send = (readings: string) =>
        runOccupancy(
          ["client", "--broker", url, "--file", "-", "--layer", "a", "-q"],
          { input: readings },
        );
      await send("1,1,1\n2,2,0\n");
      await using watch = occupancy(
        ["request", "--watch", "--broker", url, "--layer", "a"],
      );
      await printed(watch, /^1\t1\t1\toccupied/m);
      server.deleteLayer("a");
      await printed(watch, /^1\t1\t-1\tunknown\t\ta\n2\t2\t-1\tunknown/m);
      await send("2,2,5\n");
      await printed(watch, /^2\t2\t5\toccupied/m);
      // Deleted and created again between two deltas.
      server.deleteLayer("a");
      await send("7,7,7\n");
      await printed(watch, /^2\t2\t-1\tunknown\t\ta\n7\t7\t7\toccupied/m);
      watch.kill("SIGINT");
      await watch.ended();
    },
  });
}
