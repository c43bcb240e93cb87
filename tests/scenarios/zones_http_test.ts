/** Edits of zones over HTTP that were answered survive `kill -9`. */
import assert from "node:assert/strict";
import { needs } from "../support/needs.ts";
import { occupancy } from "../support/processes.ts";
import { randomIntegers } from "../support/random.ts";
import { freePort, tempDir } from "../support/temp.ts";

const ROUNDS = 4;
const EDITS = 25;

interface Feature {
  readonly type: "Feature";
  readonly properties: { readonly name: string; readonly capacity: number };
  readonly geometry: unknown;
}

type Random = ReturnType<typeof randomIntegers>;

/** What the server must have, by name. */
type Model = ReadonlyMap<string, Feature>;

/** An edit, and what it makes of the zones. */
interface Edit {
  readonly path: string;
  readonly init: RequestInit;
  readonly after: Model;
}

function feature(name: string, random: Random): Feature {
  const [x, y] = [random(100), random(100)];
  const [right, top] = [x + 1 + random(9), y + 1 + random(9)];
  const capacity = 1 + random(1000);
  return {
    type: "Feature",
    properties: { name, capacity },
    geometry: {
      type: "Polygon",
      coordinates: [[[x, y], [right, y], [right, top], [x, top], [x, y]]],
    },
  };
}

const NAMES = ["a", "b", "c", "d", "e", "é"];

function randomEdit(before: Model, random: Random): Edit {
  const name = NAMES[random(NAMES.length)]!;
  const path = `/api/v1/zones/${encodeURIComponent(name)}`;
  const after = new Map(before);
  if (random(5) === 0) {
    const features = NAMES.slice(0, random(NAMES.length + 1))
      .map((one) => feature(one, random));
    return {
      path: "/api/v1/zones",
      init: {
        method: "PUT",
        body: JSON.stringify({ type: "FeatureCollection", features }),
      },
      after: new Map(features.map((one) => [one.properties.name, one])),
    };
  }
  if (before.has(name) && random(3) === 0) {
    after.delete(name);
    return { path, init: { method: "DELETE" }, after };
  }
  const one = feature(name, random);
  after.set(name, one);
  return { path, init: { method: "PUT", body: JSON.stringify(one) }, after };
}

Deno.test({
  name: "edits of zones that were answered survive kill -9, in their order",
  ...needs(),
  fn: async () => {
    await using folder = await tempDir();
    const random = randomIntegers(7);
    const port = freePort();
    const url = `http://127.0.0.1:${port}`;
    const start = async () => {
      const server = occupancy([
        ...["server", "--listen", "127.0.0.1:0"],
        ...["--http", `127.0.0.1:${port}`],
        ...["--store", `sqlite:${folder.path}/map.db`],
      ]);
      await server.waitFor(/Ready/);
      return server;
    };
    const read = async () => {
      const response = await fetch(`${url}/api/v1/zones`);
      const { features } = await response.json();
      const etags = [response.headers.get("etag")];
      for (const { properties } of features as Feature[]) {
        const path = `/api/v1/zones/${encodeURIComponent(properties.name)}`;
        const one = await fetch(url + path, { method: "HEAD" });
        etags.push(one.headers.get("etag"));
      }
      return { features, etags };
    };
    let model: Model = new Map();
    let etags: readonly (string | null)[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      await using server = await start();
      const stored = await read();
      const isModel = isEqual(stored.features, model);
      if (round === 0) assert.deepEqual(stored.features, []);
      else {
        assert.ok(isModel, `round ${round}: ${JSON.stringify(stored)}`);
        assert.deepEqual(stored.etags, etags, "versions are stored too");
      }
      for (let i = 0; i < EDITS; i++) {
        const { path, init, after } = randomEdit(model, random);
        const response = await fetch(`${url}${path}`, init);
        const text = await response.text();
        assert.ok(response.ok, text);
        model = after;
      }
      const last = await read();
      assert.ok(isEqual(last.features, model));
      etags = last.etags;
      server.kill("SIGKILL");
      await server.ended();
    }
  },
});

function isEqual(features: readonly Feature[], model: Model): boolean {
  const text = (all: Iterable<Feature>) => JSON.stringify([...all]);
  return text(features) === text(model.values());
}
