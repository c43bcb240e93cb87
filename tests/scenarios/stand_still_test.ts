/**
 * A server process that stands still for some seconds. `deno task chaos` has
 * the same with a minute, after which the broker has closed the connection.
 */
import { standStill } from "../chaos/stand_still.ts";
import { needs } from "../support/needs.ts";
import { BROKERS } from "../support/system.ts";

const STAND_STILL_MS = 6000;

for (const kind of BROKERS) {
  Deno.test({
    name:
      `a server over ${kind} that stands still (SIGSTOP): all its clients go on, nothing is lost or shown as new`,
    ...needs("mosquitto"),
    fn: () => standStill(kind, STAND_STILL_MS),
  });
}
