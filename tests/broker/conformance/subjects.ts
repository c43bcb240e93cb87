/**
 * The brokers under test: Mosquitto shows that a test is right, the embedded
 * broker is what is tested.
 *
 * @module
 */
import { findTool } from "../../support/needs.ts";
import { startMosquitto } from "../../support/mosquitto.ts";

/** The names of the brokers. */
export const SUBJECTS = ["mosquitto", "embedded"] as const;
export type SubjectName = typeof SUBJECTS[number];

/** The version of Mosquitto whose differences the tests name. */
const KNOWN_MOSQUITTO = "2.0.11";

/** Limits of a broker that a test needs. */
export interface SubjectLimits {
  /** The longest packet of a client, in bytes. */
  readonly maxPacketBytes?: number;
}

/** A running broker. */
export interface Subject extends AsyncDisposable {
  /** TCP port on the loopback. */
  readonly port: number;
  /** Ends the broker in order. */
  stop(): Promise<void>;
}

/** Starts a broker on a free port of the loopback. */
export function startSubject(
  name: SubjectName,
  limits: SubjectLimits,
): Promise<Subject> {
  return name === "mosquitto" ? mosquitto(limits) : embedded(limits);
}

async function mosquitto({ maxPacketBytes }: SubjectLimits): Promise<Subject> {
  return await startMosquitto([
    "max_keepalive 60000",
    ...(maxPacketBytes === undefined
      ? []
      : [`max_packet_size ${maxPacketBytes}`]),
  ]);
}

async function embedded(limits: SubjectLimits): Promise<Subject> {
  const { createBroker } = await import("../../../src/broker/broker.ts");
  const broker = createBroker({
    host: "127.0.0.1",
    port: 0,
    subscriptions: [],
    limits: { connection: limits },
  });
  await broker.open({ message: () => {} });
  const stop = () => broker.close();
  return { port: broker.address.port, stop, [Symbol.asyncDispose]: stop };
}

/** Returns true if the installed Mosquitto is the one that the tests know. */
export function isKnownMosquitto(): boolean {
  const program = findTool("mosquitto");
  if (program === undefined) return false;
  const { stdout } = new Deno.Command(program, { args: ["-h"] }).outputSync();
  return new TextDecoder().decode(stdout)
    .startsWith(`mosquitto version ${KNOWN_MOSQUITTO}`);
}
