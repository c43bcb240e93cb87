/** A server that announces zones over a fake link. */
import assert from "node:assert/strict";
import type { FakeLink } from "../../support/fake_link.ts";
import { until } from "../../support/until.ts";
import type { ServerOptions } from "../../../src/server/context.ts";
import type { Zone } from "../../../src/zones/mod.ts";
import { startZones, type ZoneSystem } from "../zones/support.ts";

export const STATUS = "homeassistant/status";
export const LOBBY = topicOf("lobby");

export function topicOf(key: string, prefix = "homeassistant"): string {
  return `${prefix}/device/occupancy-${key}/config`;
}

export async function start(
  options: Partial<ServerOptions> & { link?: FakeLink } = {},
): Promise<ZoneSystem> {
  return await startZones({ homeAssistant: "homeassistant", ...options });
}

export async function setZones(
  { server }: ZoneSystem,
  ...zones: readonly Zone[]
): Promise<void> {
  const result = await server.zones.edit({ kind: "replace", zones });
  assert.ok(typeof result === "object", String(result));
}

/** The published discovery messages, in order. */
export function discoveries({ link }: ZoneSystem) {
  return link.published.filter(({ topic }) => topic.endsWith("/config"));
}

/** Waits until the last message on each topic is the first, or a config. */
export async function untilAnnounced(
  system: ZoneSystem,
  expected: Readonly<Record<string, "config" | "removed" | "nothing">>,
): Promise<void> {
  const actual = () =>
    Object.fromEntries(
      Object.keys(expected).map((topic) => {
        const last = system.link.textsOn(topic).at(-1);
        return [
          topic,
          last === undefined ? "nothing" : last === "" ? "removed" : "config",
        ];
      }),
    );
  await until(() => {
    try {
      assert.deepEqual(actual(), expected);
      return true;
    } catch {
      return false;
    }
  }, { what: () => JSON.stringify(actual()) });
}
