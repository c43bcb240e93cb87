import { requireTool } from "./needs.ts";
import { Running } from "./processes.ts";
import { encodeConnect } from "./packets.ts";
import { RawConnection } from "./raw_connection.ts";
import { freePort, tempDir } from "./temp.ts";
import { until } from "./until.ts";

/** A Mosquitto that runs only for one test. */
export interface Mosquitto extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  /** Kills the broker, as in a crash. */
  kill(): Promise<void>;
  /** Ends the broker in order. */
  stop(): Promise<void>;
  /** Suspends the broker: connections stay open without answers. */
  freeze(): void;
  /** Starts the broker again on the same port. */
  start(): Promise<void>;
}

/**
 * Starts Mosquitto on a free port of the loopback.
 *
 * @param lines lines of its configuration that differ from the defaults
 * @param options whether clients may connect without a login; default true
 */
export async function startMosquitto(
  lines: readonly string[] = [],
  { anonymous = true } = {},
): Promise<Mosquitto> {
  const program = requireTool("mosquitto");
  const folder = await tempDir();
  const port = freePort();
  const config = await folder.file(
    "mosquitto.conf",
    [
      `listener ${port} 127.0.0.1`,
      `allow_anonymous ${anonymous}`,
      "log_dest stderr",
      ...lines,
      "",
    ].join("\n"),
  );
  let running: Running | undefined;
  const broker: Mosquitto = {
    port,
    url: `mqtt://127.0.0.1:${port}`,
    start: async () => {
      running = new Running(program, ["-c", config]);
      await until(() => answers(port, anonymous), {
        what: `mosquitto on port ${port}`,
      });
    },
    stop: async () => {
      running?.kill();
      await running?.ended();
      running = undefined;
    },
    freeze: () => running?.kill("SIGSTOP"),
    kill: async () => {
      running?.kill("SIGKILL");
      await running?.ended();
      running = undefined;
    },
    [Symbol.asyncDispose]: async () => {
      await broker.kill();
      await folder[Symbol.asyncDispose]();
    },
  };
  await broker.start();
  return broker;
}

/** Returns true if the broker answers a CONNECT as configured. */
async function answers(port: number, anonymous: boolean): Promise<boolean> {
  try {
    await using raw = await RawConnection.dial(port);
    await raw.write(encodeConnect("mosquitto-test"));
    const { returnCode } = await raw.take("connack");
    return (returnCode === 0) === anonymous;
  } catch {
    return false;
  }
}
