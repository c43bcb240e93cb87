/**
 * Starts Mosquitto with the same settings in every trial.
 *
 * @module
 */
import { findTool } from "../../tests/support/needs.ts";
import { freePort } from "../../tests/support/temp.ts";
import { Child } from "../harness/child.ts";
import { RawClient } from "../harness/raw_client.ts";

/** Settings of Mosquitto; docs/PERFORMANCE.md explains them. */
export const MOSQUITTO_SETTINGS: Readonly<Record<string, string | number>> = {
  set_tcp_nodelay: "true",
  max_inflight_messages: 1000,
  max_queued_messages: 0,
  sys_interval: 1,
};

/** Types of log lines: with these it logs its start and each subscription. */
const LOG_TYPES = ["error", "warning", "information", "subscribe"];
const DROPPED = "$SYS/broker/publish/messages/dropped";
const UPTIME = "$SYS/broker/uptime";

/** A running Mosquitto. */
export interface Mosquitto extends AsyncDisposable {
  readonly port: number;
  readonly pid: number;
  /** Waits until a client has subscribed to a topic. */
  waitForSubscription(topic: string): Promise<void>;
  /** Number of messages that it has dropped since its start. */
  droppedMessages(): Promise<number>;
}

/**
 * Starts Mosquitto on a free port.
 *
 * @param folder for its configuration
 */
export async function startMosquitto(folder: string): Promise<Mosquitto> {
  const port = freePort();
  const path = `${folder}/mosquitto.conf`;
  const settings = Object.entries(MOSQUITTO_SETTINGS)
    .map(([key, value]) => `${key} ${value}`);
  await Deno.writeTextFile(
    path,
    [
      `listener ${port} 127.0.0.1`,
      "allow_anonymous true",
      "log_dest stderr",
      ...LOG_TYPES.map((type) => `log_type ${type}`),
      ...settings,
      "",
    ].join("\n"),
  );
  const child = new Child(
    findTool("mosquitto") ?? "mosquitto",
    ["-c", path],
    { lines: "stderr" },
  );
  await child.waitForLine(/ running$/);
  return {
    port,
    pid: child.pid,
    waitForSubscription: (topic) => child.waitForLine(new RegExp(` ${topic}$`)),
    droppedMessages: () => droppedMessages(port),
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}

/**
 * Reads the count that Mosquitto publishes every second. The first one received
 * may be older than the last message, so this waits for three ticks.
 */
async function droppedMessages(port: number): Promise<number> {
  using client = await RawClient.connect(port, "dropped-messages");
  let dropped = NaN;
  let ticks = 0;
  client.onMessage = ({ topic, payload }) => {
    if (topic === DROPPED) {
      dropped = Number(new TextDecoder().decode(payload));
    } else ticks++;
  };
  await client.subscribe(DROPPED);
  await client.subscribe(UPTIME);
  await client.until(() => ticks >= 3);
  return dropped;
}
