/**
 * Starts Mosquitto on the loopback.
 *
 * @module
 */
import { freePort, type GroupProcess, type ProcessGroup } from "./processes.ts";
import { findPrograms } from "./programs.ts";

/** How docs/OPERATIONS.md recommends it, but without files. */
const SETTINGS = [
  "max_queued_messages 0",
  "max_queued_bytes 1000000000",
  "max_inflight_messages 1000",
  "set_tcp_nodelay true",
  // Its counts are published once a second.
  "sys_interval 1",
];

/** A Mosquitto. */
export interface Broker {
  /** For people. */
  readonly name: string;
  readonly port: number;
  /** `mqtt://127.0.0.1:PORT` */
  readonly url: string;
  readonly process: GroupProcess;
}

/** Starts a Mosquitto on a free port, and waits until it runs. */
export async function startBroker(
  group: ProcessGroup,
  name: string,
): Promise<Broker> {
  const { mosquitto } = findPrograms(["mosquitto"]);
  const port = freePort();
  const config = `${group.folder}/${name}.conf`;
  await Deno.writeTextFile(
    config,
    [
      `listener ${port} 127.0.0.1`,
      ...["allow_anonymous true", "log_dest stderr", ...SETTINGS, ""],
    ].join("\n"),
  );
  const process = group.spawn(name, mosquitto, { args: ["-c", config] });
  await process.waitFor(/ running$/m);
  return { name, port, url: `mqtt://127.0.0.1:${port}`, process };
}
