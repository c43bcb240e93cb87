/** Servers of a shared store with zones from different files. */
import assert from "node:assert/strict";
import type { ServerContext } from "../../../src/server/context.ts";
import { ZoneSource } from "../../../src/server/zones/zone_source.ts";
import type { DefinitionSource } from "../../../src/server/zones/zone_records.ts";
import type { Zone } from "../../../src/zones/mod.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { serverLog } from "../../support/server_log.ts";
import { squares } from "./support.ts";

/** Servers that share one record: where the leader has its zones from. */
class Servers {
  readonly log: string[] = [];
  #stored: Uint8Array | undefined;
  readonly #observers = new Set<() => void>();

  /** @param file of the zones of the server, if they are of one */
  open(isLeader: boolean, file?: string): ZoneSource {
    const shared = { observe: (_: unknown, f: () => void) => this.#add(f) };
    const records = {
      load: () => this.#stored === undefined ? [] : [[1, this.#stored]],
      shared,
    };
    const context = {
      store: { shared, records },
      leadership: { isLeader },
      log: serverLog((line) => this.log.push(line)),
    } as unknown as ServerContext;
    return new ZoneSource(context, {
      setSource: (source) => {
        if (isLeader) this.#set(source);
      },
    }, file);
  }

  #add(onChange: () => void): void {
    this.#observers.add(onChange);
  }

  #set(source: DefinitionSource): void {
    this.#stored = new TextEncoder().encode(JSON.stringify(source));
    for (const onChange of this.#observers) onChange();
  }
}

const named = (zones: readonly Zone[]) =>
  new Map(zones.map((zone) => [zone.name, zone]));

Deno.test({
  name: "a server with other zones than the leader says so, and only it",
  permissions: "none",
  fn: async () => {
    using clock = new FakeClock();
    const servers = new Servers();
    const one = named(await squares(["lobby", [0, 0, 4]]));
    const other = named(await squares(["lobby", [0, 0, 5]]));
    const leader = servers.open(true, "leader.json");
    const same = servers.open(false, "same.json");
    const different = servers.open(false, "different.json");
    const without = servers.open(false);
    await leader.set(one);
    await same.set(one);
    await different.set(other);
    await without.set(one);
    clock.tick(10_000);
    assert.equal(servers.log.length, 2);
    assert.match(servers.log[0]!, /^The zones of different\.json are others/);
    assert.match(servers.log[1]!, /^The leader has the zones of a file/);
    servers.log.length = 0;
    // The file of the leader is edited: now the other one is the same.
    await leader.set(other);
    clock.tick(10_000);
    assert.match(servers.log.join("\n"), /The zones of same\.json are others/);
    assert.doesNotMatch(servers.log.join("\n"), /different/);
    for (const source of [leader, same, different, without]) source.stop();
    assert.equal(clock.pending, 0);
  },
});
