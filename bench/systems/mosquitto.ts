import { Child } from "../harness/child.ts";
import { RawClient } from "../harness/mqtt.ts";
import { freePort } from "./system.ts";

/** The same for all subjects; what they do is told in docs/PERFORMANCE.md. */
export const MOSQUITTO_SETTINGS: Readonly<Record<string, string | number>> = {
  set_tcp_nodelay: "true",
  max_inflight_messages: 1000,
  max_queued_messages: 0,
  sys_interval: 1,
};

/** Debian keeps it where only root looks. */
const PROGRAMS = ["/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto"];
/** What it tells: that it runs, and who subscribes. */
const LOGGED = ["error", "warning", "information", "subscribe"];
const DROPPED = "$SYS/broker/publish/messages/dropped";
const UPTIME = "$SYS/broker/uptime";

/** A Mosquitto on a free port. */
export interface Mosquitto extends AsyncDisposable {
  readonly port: number;
  readonly pid: number;
  /** Waits until somebody has subscribed to a topic. */
  subscribed(topic: string): Promise<void>;
  /** How many messages it has thrown away since it started. */
  dropped(): Promise<number>;
}

/** Starts one. */
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
      ...LOGGED.map((type) => `log_type ${type}`),
      ...settings,
      "",
    ].join("\n"),
  );
  const child = new Child(mosquittoPath(), ["-c", path], { lines: "stderr" });
  await child.says(/ running$/);
  return {
    port,
    pid: child.pid,
    subscribed: (topic) => child.says(new RegExp(` ${topic}$`)),
    dropped: () => droppedBy(port),
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}

/** The program's path, or its name if the PATH leads to it. */
export function mosquittoPath(): string {
  return PROGRAMS.find((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  }) ?? "mosquitto";
}

/** It tells its counts once a second: the first may be older than the last message. */
async function droppedBy(port: number): Promise<number> {
  using client = await RawClient.connect(port, "count-of-dropped");
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
