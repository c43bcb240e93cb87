/**
 * A program that receives webhooks: a real HTTP server on the loopback.
 *
 * @module
 */
import { until } from "../support/until.ts";

/** A request as it arrived. */
export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: Headers;
  readonly body: string;
}

/** Answers the request with this number, from 0. Default: 204. */
export type Answer = (
  number: number,
  request: Received,
) => Response | Promise<Response>;

/** Receives webhooks until the end of its scope. */
export class Receiver implements AsyncDisposable {
  readonly requests: Received[] = [];
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor(
    answer: Answer = () => new Response(null, { status: 204 }),
    port = 0,
  ) {
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port, onListen() {}, onError: () => FAILED() },
      async (request) => {
        const received = {
          method: request.method,
          path: new URL(request.url).pathname,
          headers: request.headers,
          body: await request.text(),
        };
        return await answer(this.requests.push(received) - 1, received);
      },
    );
  }

  get port(): number {
    return this.#server.addr.port;
  }

  /** The address of a path. */
  url(path = "/hook"): string {
    return `http://127.0.0.1:${this.port}${path}`;
  }

  /** The bodies, parsed. */
  get bodies(): unknown[] {
    return this.requests.map(({ body }) => JSON.parse(body));
  }

  /** Waits for a number of requests. */
  async received(count: number): Promise<readonly Received[]> {
    await until(() => this.requests.length >= count, {
      what: () => `${count} requests, not ${this.requests.length}`,
    });
    return this.requests;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

const FAILED = () => new Response(null, { status: 500 });
