/**
 * Starts many clients of a broker in one process
 * (`programs/broker_clients.ts`) and sends it commands.
 *
 * @module
 */
import { Child, denoArgs } from "./child.ts";

/** A command to the process. */
export type ClientsCommand =
  | {
    readonly do: "subscribe";
    readonly count: number;
    readonly topic: string;
    readonly qos: 0 | 1;
    /** Bytes of the payload of each message that arrives. */
    readonly payloadBytes: number;
  }
  | {
    readonly do: "publish";
    readonly messages: number;
    /** Messages that may be on their way to the slowest subscriber. */
    readonly window: number;
  }
  | {
    /** Connects and disconnects, at a rate. */
    readonly do: "cycle";
    readonly count: number;
    readonly perSecond: number;
  }
  | { readonly do: "hold"; readonly count: number }
  | {
    /** Leaves sessions behind, each with a subscription at QoS 1. */
    readonly do: "abandon";
    readonly count: number;
    /** The filter; `%` stands for the number of the client. */
    readonly filter: string;
  };

/** The report after each command; times in ms since 1970. */
export interface ClientsReport {
  readonly startedAt: number;
  readonly at: number;
}

/** The running process. */
export class BrokerClients implements AsyncDisposable {
  readonly #child: Child;

  private constructor(child: Child) {
    this.#child = child;
  }

  /** @param port the port of the broker, on the loopback */
  static async start(port: number): Promise<BrokerClients> {
    const child = new Child(
      Deno.execPath(),
      denoArgs("bench/programs/broker_clients.ts", [String(port)]),
      { lines: "stdout", commands: true },
    );
    await child.nextReport();
    return new BrokerClients(child);
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Sends a command and waits until it is done. */
  async do(command: ClientsCommand): Promise<ClientsReport> {
    await this.#child.send(command);
    return await this.#child.nextReport();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#child[Symbol.asyncDispose]();
  }
}
