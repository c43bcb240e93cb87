/**
 * A TCP proxy whose network can be cut: it then swallows everything, in both
 * directions, and closes nothing.
 *
 * @module
 */

/** What happens to the bytes that are sent while the network is cut. */
export type Swallowed =
  /** They arrive later, as when TCP sends them again. */
  | "delayed"
  /**
   * They are lost, and the connections with them: half-open, as when a router
   * has forgotten them. New connections work again.
   */
  | "lost";

/** A proxy on the loopback. */
export interface CutProxy extends AsyncDisposable {
  readonly port: number;
  /** Connections that were accepted so far. */
  readonly connections: number;
  /** Swallows everything from now on. */
  cut(swallowed: Swallowed): void;
  /** Ends the cut. */
  heal(): void;
  /** Closes all connections; new ones work. */
  drop(): void;
}

/** Starts a proxy in front of a port of the loopback. */
export function cutProxy(target: number): CutProxy {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.Conn>();
  let connections = 0;
  /** Increases with each cut that loses connections. */
  let era = 0;
  let isCut = false;
  let healed = Promise.resolve();
  let heal = () => {};

  async function pump(from: Deno.Conn, to: Deno.Conn, born: number) {
    const buffer = new Uint8Array(64 * 1024);
    try {
      for (;;) {
        const count = await from.read(buffer);
        if (count === null && born === era) break;
        if (count === null) return; // half-open: the other end learns nothing
        if (isCut) await healed;
        if (born !== era) continue;
        for (let at = 0; at < count;) {
          at += await to.write(buffer.subarray(at, count));
        }
      }
    } catch {
      // One end was closed.
    }
    if (born === era) close(from, to);
  }

  function close(...connections: Deno.Conn[]) {
    for (const connection of connections) {
      if (open.delete(connection)) connection.close();
    }
  }

  async function accept() {
    for await (const client of listener) {
      connections++;
      open.add(client);
      void (async () => {
        // While the network is cut, a new connection gets no answer either.
        while (isCut) await healed;
        const born = era;
        const server = await Deno.connect({
          hostname: "127.0.0.1",
          port: target,
        });
        open.add(server);
        void pump(client, server, born);
        void pump(server, client, born);
      })().catch(() => close(client));
    }
  }
  const accepting = accept();

  return {
    port: (listener.addr as Deno.NetAddr).port,
    get connections() {
      return connections;
    },
    cut: (swallowed) => {
      if (swallowed === "lost") era++;
      isCut = true;
      ({ promise: healed, resolve: heal } = Promise.withResolvers<void>());
    },
    heal: () => {
      isCut = false;
      heal();
    },
    drop: () => close(...open),
    [Symbol.asyncDispose]: async () => {
      isCut = false;
      heal();
      listener.close();
      await accepting;
      close(...open);
    },
  };
}
