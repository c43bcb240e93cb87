/** The zones as the page knows them, with definitions that the test answers. */
import assert from "node:assert/strict";
import type { ZonesMessage } from "../../../src/feed/zone_messages.ts";
import {
  definitionOf,
  type ZoneDefinitions,
} from "../../../src/page/zones/zone_definitions.ts";
import { ZoneStore } from "../../../src/page/zones/zone_store.ts";
import { readZones } from "../../../src/zones/read_zones.ts";
import { toFeature } from "../../../src/zones/write_geojson.ts";
import type { ZoneState } from "../../../src/zones/zone_state.ts";
import { until } from "../../support/until.ts";

const permissions = "none";

/** A store, and the requests that it has sent. */
function storeWithRequests() {
  const requests: PromiseWithResolvers<ZoneDefinitions>[] = [];
  const store = new ZoneStore(() => {
    const request = Promise.withResolvers<ZoneDefinitions>();
    requests.push(request);
    return request.promise;
  });
  const definitions: string[] = [];
  const states: (string[] | undefined)[] = [];
  store.observe({
    onDefinitions: () => {
      definitions.push(store.problem ?? store.definitions.etag);
    },
    onStates: (names) => void states.push(names && [...names]),
  });
  return { store, requests, definitions, states };
}

function message(values: Partial<ZonesMessage> = {}): ZonesMessage {
  return {
    ...{ type: "zones", version: "1", file: null, whole: false },
    ...{ states: [], removed: [] },
    ...values,
  };
}

function stateOf(zone: string, count: number): ZoneState {
  return {
    ...{ zone, title: zone, layer: "default", occupied: count > 0, count },
    ...{ certain: true, capacity: 10, percent: count * 10, cells: 10 },
    ...{ occupiedCells: count, staleCells: 0, unknownCells: 0 },
    ...{ since: 0, time: 0, revision: 1 },
  };
}

function versionOf(etag: string): ZoneDefinitions {
  return { etag, zones: new Map() };
}

Deno.test({
  name: "ZoneStore keeps the last states, and forgets all with a whole message",
  permissions,
  fn: async () => {
    const { store, requests, states } = storeWithRequests();
    store.onZones(message({ whole: true, states: [stateOf("a", 1)] }));
    store.onZones(message({ states: [stateOf("b", 2), stateOf("a", 3)] }));
    store.onZones(message({ removed: ["b"] }));
    assert.deepEqual([...store.states.keys()], ["a"]);
    assert.equal(store.states.get("a")!.count, 3);
    assert.deepEqual(states, [undefined, ["b", "a"], ["b"]]);
    store.onZones(message({ whole: true, file: "zones.geojson" }));
    assert.equal(store.states.size, 0);
    assert.equal(store.file, "zones.geojson");
    await until(() => requests.length === 1);
    store.close();
  },
});

Deno.test({
  name:
    "ZoneStore requests the definitions once for each version, the last one if several change",
  permissions,
  fn: async () => {
    const { store, requests, definitions } = storeWithRequests();
    store.onZones(message({ whole: true }));
    store.onZones(message());
    await until(() => requests.length === 1);
    requests[0]!.resolve(versionOf('"1"'));
    await until(() => definitions.length === 1);
    assert.equal(store.definitions.etag, '"1"');

    // Two versions shortly after another: one request, after at most 1 s.
    store.onZones(message({ version: "2" }));
    store.onZones(message({ version: "3" }));
    await until(() => requests.length === 2);
    store.onZones(message({ version: "4" }));
    requests[1]!.resolve(versionOf('"4"'));
    await until(() => definitions.length === 2);
    // The answer was already of the next version: no third request.
    store.onZones(message({ version: "4" }));
    assert.equal(requests.length, 2);
    assert.deepEqual(definitions, ['"1"', '"4"']);
    store.close();
  },
});

Deno.test({
  name: "ZoneStore.reload() during a request sends another one after it",
  permissions,
  fn: async () => {
    const { store, requests, definitions } = storeWithRequests();
    const first = store.reload();
    const second = store.reload();
    await until(() => requests.length === 1);
    requests[0]!.resolve(versionOf('"1"'));
    await until(() => requests.length === 2);
    requests[1]!.resolve(versionOf('"2"'));
    await Promise.all([first, second]);
    assert.deepEqual(definitions, ['"1"', '"2"']);
  },
});

Deno.test({
  name:
    "ZoneStore keeps the definitions while they cannot be loaded, and tries again after a reconnect",
  permissions,
  fn: async () => {
    const { store, requests, definitions } = storeWithRequests();
    void store.reload();
    requests[0]!.resolve(versionOf('"1"'));
    await until(() => definitions.length === 1);
    void store.reload();
    requests[1]!.reject(new Error("status 503"));
    await until(() => definitions.length === 2);
    assert.equal(store.problem, "status 503");
    assert.equal(store.definitions.etag, '"1"');
    store.onZones(message({ whole: true }));
    await until(() => requests.length === 3);
    requests[2]!.resolve(versionOf('"1"'));
    await until(() => store.problem === undefined);
    store.close();
  },
});

Deno.test({
  name: "definitionOf() reads a feature as the server writes it",
  permissions,
  fn: async () => {
    const ring = [[0, 0], [4, 0], [4, 4], [0, 0]];
    const zones = await readZones(JSON.stringify({
      type: "FeatureCollection",
      features: [
        {
          type: "Feature",
          properties: { name: "a" },
          geometry: { type: "Polygon", coordinates: [ring] },
        },
        {
          type: "Feature",
          properties: { name: "b", layer: "l2", title: "B", capacity: 4 },
          geometry: { type: "MultiPolygon", coordinates: [[ring]] },
        },
      ],
    }));
    const [plain, full] = zones.map((zone) => definitionOf(toFeature(zone)));
    assert.deepEqual(
      [plain!.layer, plain!.title, plain!.capacity],
      ["default", "a", undefined],
    );
    assert.deepEqual([full!.layer, full!.title, full!.capacity], [
      "l2",
      "B",
      4,
    ]);
    assert.deepEqual(plain!.polygons, full!.polygons);
  },
});
