/** Zones over HTTP: definitions, edits, conflicts, states. */
import assert from "node:assert/strict";
import { Token } from "../../../src/http/mod.ts";
import { readZones } from "../../../src/zones/mod.ts";
import { needs } from "../../support/needs.ts";
import { until } from "../../support/until.ts";
import { startServer, type TestServer } from "../support.ts";

const ZONES = "/api/v1/zones";
const STATES = "/api/v1/zone-states";

/** A zone with the cells x0 to x1 of row 0. */
function feature(
  name: string | undefined,
  x0: number,
  x1: number,
  more: Record<string, unknown> = {},
) {
  const [left, right] = [x0, x1 + 1];
  return {
    type: "Feature",
    properties: { ...(name !== undefined && { name }), ...more },
    geometry: {
      type: "Polygon",
      coordinates: [[[left, 0], [right, 0], [right, 1], [left, 1], [left, 0]]],
    },
  };
}

function collection(...features: unknown[]) {
  return { type: "FeatureCollection", features };
}

function put(
  server: TestServer,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
) {
  return server.get(path, {
    method: "PUT",
    body: typeof body === "string" ? body : JSON.stringify(body),
    headers: { "content-type": "application/geo+json", ...headers },
  });
}

const etag = (response: Response) => response.headers.get("etag")!;

Deno.test({
  name: "zones: the collection that was put is returned, with its states",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    const lobby = feature("lobby", 0, 4, { title: "Lobby", capacity: 4 });
    const gate = { ...feature("gate", 5, 9, { fill: "#f00" }), id: 7 };
    const answer = await put(server, ZONES, collection(lobby, gate));
    assert.equal(answer.status, 200);
    const { version, ...counts } = await answer.json();
    assert.deepEqual(counts, { added: 2, changed: 0, deleted: 0 });
    assert.equal(etag(answer), `"${version}"`);

    const got = await server.get(ZONES);
    assert.equal(got.headers.get("content-type"), "application/geo+json");
    assert.equal(etag(got), etag(answer));
    assert.deepEqual(await got.json(), collection(lobby, gate));
    const cached = await server.get(ZONES, {
      headers: { "if-none-match": etag(got) },
    });
    assert.equal(cached.status, 304);

    await server.post("0,0,3\n1,0,0\n2,0,-1\n");
    const { zones, revision, time } = await server.json(STATES);
    assert.deepEqual([revision, typeof time], [server.map.revision, "number"]);
    const [first, second] = zones;
    assert.equal(first.zone, "lobby");
    assert.deepEqual(
      [first.occupied, first.count, first.certain, first.capacity],
      [true, 3, false, 4],
    );
    assert.deepEqual(
      [first.percent, first.cells, first.occupiedCells, first.unknownCells],
      [75, 3, 1, 1],
    );
    assert.deepEqual([second.occupied, second.capacity], [null, undefined]);
    assert.deepEqual(await server.json(`${STATES}/lobby`), first);
    const none = await server.get(`${STATES}/nope`);
    assert.equal((await none.json()).code, "no-zone");
  },
});

Deno.test({
  name: "zones: one zone is added, replaced and deleted",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    const added = await put(server, `${ZONES}/lobby`, feature(undefined, 0, 4));
    assert.equal(added.status, 201);
    assert.equal((await added.json()).added, 1);
    const got = await server.get(`${ZONES}/lobby`);
    assert.equal(etag(got), etag(added));
    assert.deepEqual(await got.json(), feature("lobby", 0, 4));
    const head = await server.get(`${ZONES}/lobby`, { method: "HEAD" });
    assert.deepEqual([head.status, etag(head)], [200, etag(got)]);

    const replaced = await put(
      server,
      `${ZONES}/lobby`,
      feature("lobby", 0, 4, { capacity: 7 }),
    );
    assert.equal(replaced.status, 200);
    assert.equal((await replaced.json()).changed, 1);
    const old = { headers: { "if-none-match": etag(got) } };
    assert.equal((await server.get(`${ZONES}/lobby`, old)).status, 200);

    const method = "DELETE";
    const deleted = await server.get(`${ZONES}/lobby`, { method });
    assert.equal((await deleted.json()).deleted, 1);
    assert.equal((await server.get(`${ZONES}/lobby`)).status, 404);
    const again = await server.get(`${ZONES}/lobby`, { method });
    assert.deepEqual([again.status, (await again.json()).code], [
      404,
      "no-zone",
    ]);
  },
});

Deno.test({
  name: "zones: names are percent-encoded, also . and ..",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    for (
      const [path, name] of [
        ["%2F.", "."],
        ["%2F..", ".."],
        ["caf%C3%A9%20%3F%25", "café ?%"],
        ["%3Cb%3E", "<b>"],
      ] as const
    ) {
      const answer = await put(server, `${ZONES}/${path}`, feature(name, 0, 1));
      assert.equal(answer.status, 201, name);
      const { properties } = await server.json(`${ZONES}/${path}`);
      assert.equal(properties.name, name);
      assert.equal((await server.json(`${STATES}/${path}`)).zone, name);
    }
    for (const path of ["a%2Fb", "%23", "%20", "%00", "x".repeat(201)]) {
      const answer = await server.get(`${ZONES}/${path}`);
      assert.equal(answer.status, 400, path);
      assert.equal((await answer.json()).code, "bad-name");
    }
    const other = await put(server, `${ZONES}/a`, feature("b", 0, 1));
    const { code, detail, hint } = await other.json();
    assert.deepEqual([other.status, code], [422, "bad-name"]);
    assert.match(detail, /"b", not "a"/);
    assert.ok(hint);
  },
});

Deno.test({
  name: "zones: an edit with If-Match is not done after another edit",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    const lobby = `${ZONES}/lobby`;
    const first = await put(server, lobby, feature("lobby", 0, 1), {
      "if-none-match": "*",
    });
    assert.equal(first.status, 201);
    const again = await put(server, lobby, feature("lobby", 0, 2), {
      "if-none-match": "*",
    });
    assert.equal(again.status, 412);
    const { code, detail, hint } = await again.json();
    assert.equal(code, "changed");
    assert.match(detail, /The zone "lobby"/);
    assert.match(hint, /GET it/);
    assert.equal(etag(again), etag(first));

    // An edit of another zone is no conflict.
    await put(server, `${ZONES}/gate`, feature("gate", 5, 6));
    const second = await put(server, lobby, feature("lobby", 0, 2), {
      "if-match": `W/${etag(first)}, "other"`,
    });
    assert.equal(second.status, 200);
    const stale = { "if-match": etag(first) };
    assert.equal(
      (await put(server, lobby, feature("lobby", 0, 3), stale)).status,
      412,
    );
    const remove = (headers: Record<string, string>) =>
      server.get(lobby, { method: "DELETE", headers });
    assert.equal((await remove(stale)).status, 412);
    assert.equal((await remove({ "if-match": etag(second) })).status, 200);
    assert.equal((await remove(stale)).status, 404);
    const gone = await put(server, lobby, feature("lobby", 0, 3), stale);
    assert.equal(gone.status, 412);
    assert.match((await gone.json()).detail, /does not exist any more/);
  },
});

Deno.test({
  name: "zones: no edit of clients that send If-Match is lost",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    const one = `${ZONES}/a`;
    await put(server, one, feature("a", 0, 1, { capacity: 1 }));
    let conflicts = 0;
    /** Adds one to the capacity, through the zone or through all zones. */
    const increment = async (path: string) => {
      for (;;) {
        const got = await server.get(path);
        const body = await got.json();
        const { properties } = path === one ? body : body.features[0];
        properties.capacity++;
        const answer = await put(server, path, body, { "if-match": etag(got) });
        if (answer.status === 200) return;
        assert.equal(answer.status, 412);
        conflicts++;
      }
    };
    await Promise.all([one, one, ZONES, ZONES].map(async (path) => {
      for (let i = 0; i < 5; i++) await increment(path);
    }));
    const { properties } = await server.json(one);
    assert.equal(properties.capacity, 21);
    assert.ok(conflicts > 0);
  },
});

Deno.test({
  name: "zones: a collection with If-Match replaces only the one it names",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    const empty = etag(await server.get(ZONES));
    const one = collection(feature("a", 0, 1));
    assert.equal(
      (await put(server, ZONES, one, { "if-none-match": "*" })).status,
      200,
      "there are no zones",
    );
    assert.equal(
      (await put(server, ZONES, one, { "if-none-match": "*" })).status,
      412,
    );
    const late = await put(server, ZONES, collection(), { "if-match": empty });
    assert.equal(late.status, 412);
    const now = etag(await server.get(ZONES));
    assert.equal(etag(late), now);
    // Of two edits at once with one ETag, one is done.
    const both = await Promise.all(
      [1, 2].map((x) =>
        put(server, ZONES, collection(feature("a", 0, x + 1)), {
          "if-match": now,
        })
      ),
    );
    assert.deepEqual(both.map(({ status }) => status).sort(), [200, 412]);
    const metrics = await (await server.get("/metrics")).text();
    assert.match(metrics, /zone_edits_total\{outcome="conflicts"\} 3\n/);
  },
});

Deno.test({
  name: "zones: a collection that is not valid changes nothing",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    await put(server, ZONES, collection(feature("a", 0, 1)));
    const before = etag(await server.get(ZONES));
    const cut = JSON.stringify(collection(feature("b", 0, 1))).slice(0, -4);
    const openRing = feature("b", 0, 1);
    openRing.geometry.coordinates[0]!.pop();
    for (
      const [body, status, code, detail] of [
        ["", 400, "cut-off", /empty/],
        [cut, 400, "cut-off", /^Feature 1: .* the middle of it\.$/],
        ["{", 400, "cut-off", /ends/],
        ["[]", 400, "bad-form", /array/],
        [feature("a", 0, 1), 400, "bad-form", /not a FeatureCollection/],
        [
          collection(feature("b", 0, 1), feature("b", 2, 3)),
          422,
          "duplicate-name",
          /^Feature 2: "b" is also the name of feature 1\.$/,
        ],
        [
          collection(openRing),
          422,
          "open-ring",
          /Zone "b": ring 1: the ring is open/i,
        ],
        [collection(feature("#", 0, 1)), 422, "bad-name", /wildcard/],
        [
          collection(feature("<b>", 0, 1, { capacity: 0 })),
          422,
          "bad-capacity",
          /"<b>": its capacity/,
        ],
      ] as const
    ) {
      const answer = await put(server, ZONES, body);
      const problem = await answer.json();
      assert.equal(answer.status, status, JSON.stringify(problem));
      assert.equal(
        answer.headers.get("content-type"),
        "application/problem+json",
      );
      assert.equal(problem.code, code);
      assert.match(problem.detail, detail);
      assert.ok(problem.hint, code);
    }
    const { feature: place } = await (await put(
      server,
      ZONES,
      collection(feature("c", 0, 1), feature("d", 0, 1, { clearAfter: "x" })),
    )).json();
    assert.deepEqual(place, { number: 2, name: "d" });
    assert.equal(etag(await server.get(ZONES)), before);
  },
});

Deno.test({
  name: "zones: a body over the limit is refused without being read",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    let sent = 0;
    const body = (size: number) =>
      new ReadableStream<Uint8Array>({
        pull(controller) {
          if (sent >= size) return controller.close();
          sent += 65_536;
          controller.enqueue(new Uint8Array(65_536).fill(0x20));
        },
      });
    for (
      const [path, max] of [[ZONES, 16 * 2 ** 20], [`${ZONES}/a`, 2 ** 19]]
    ) {
      sent = 0;
      const answer = await fetch(`${server.url}${path}`, {
        method: "PUT",
        body: body(100e6),
      });
      assert.equal(answer.status, 413);
      const { code, detail, hint } = await answer.json();
      assert.equal(code, "too-large");
      assert.match(detail, new RegExp(`${max} bytes`));
      assert.match(hint, /corners/);
      assert.ok(sent < 60e6, `${sent} bytes were sent`);
    }
    const multipart = await put(server, ZONES, "--x", {
      "content-type": "multipart/form-data; boundary=x",
    });
    assert.equal(multipart.status, 415);
    await multipart.body?.cancel();
  },
});

Deno.test({
  name: "zones: pages of other origins and clients without the token edit none",
  ...needs(),
  fn: async () => {
    {
      await using server = await startServer();
      for (
        const headers of [
          { "sec-fetch-site": "cross-site" },
          { "sec-fetch-site": "same-site" },
          { origin: "https://evil.example" },
        ]
      ) {
        for (const path of [ZONES, `${ZONES}/a`]) {
          const answer = await put(server, path, feature("a", 0, 1), headers);
          assert.equal((await answer.json()).code, "foreign-origin");
          assert.equal(answer.status, 403);
        }
      }
      const post = await server.get(ZONES, { method: "POST", body: "{}" });
      assert.equal(post.status, 405);
      assert.equal(post.headers.get("allow"), "GET, HEAD, PUT, OPTIONS");
      assert.equal((await server.get(`${ZONES}?all`)).status, 400);
      assert.equal(server.context.zones.definitions.size, 0);
    }
    const secret = "correct-horse-battery-staple";
    await using server = await startServer({ token: new Token(secret) });
    const answer = await put(server, `${ZONES}/a`, feature("a", 0, 1));
    assert.equal(answer.status, 401);
    const authorized = await put(server, `${ZONES}/a`, feature("a", 0, 1), {
      authorization: `Bearer ${secret}`,
    });
    assert.equal(authorized.status, 201);
  },
});

Deno.test({
  name: "zones: an edit that is not committed is refused, and not done later",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    server.store.failing = true;
    assert.equal((await server.post("0,0,1")).status, 503);
    const answer = await put(server, `${ZONES}/a`, feature("a", 0, 1));
    assert.equal(answer.status, 503);
    assert.equal((await answer.json()).code, "store-failing");
    server.store.failing = false;
    await until(() => server.server.storeProblem === undefined);
    assert.equal((await server.get(`${ZONES}/a`)).status, 404);
  },
});

Deno.test({
  name: "zones: those of a file are read-only",
  ...needs(),
  fn: async () => {
    const zones = await readZones(
      JSON.stringify(collection(feature("a", 0, 1))),
    );
    await using server = await startServer({
      fileZones: { file: "plans/zones.geojson", zones },
    });
    assert.equal((await server.get(`${ZONES}/a`)).status, 200);
    for (
      const [path, init] of [
        [ZONES, { method: "PUT", body: "not read" }],
        [`${ZONES}/a`, { method: "PUT", body: "not read" }],
        [`${ZONES}/a`, { method: "DELETE" }],
        [`${ZONES}/none`, { method: "DELETE" }],
      ] as const
    ) {
      const answer = await server.get(path, init);
      assert.equal(answer.status, 403);
      const { code, detail, hint } = await answer.json();
      assert.equal(code, "read-only");
      assert.match(detail, /plans\/zones\.geojson/);
      assert.match(hint, /--zones/);
    }
  },
});

Deno.test({
  name: "zones: metrics count zones by state, their events and edits",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    const many = Array.from(
      { length: 300 },
      (_, i) => feature(`z${i}`, 10 * i, 10 * i + 4, { capacity: 3 }),
    );
    await put(server, ZONES, collection(...many));
    await server.post("0,0,3\n10,0,1\n20,0,0\n");
    await server.json(STATES);
    await server.post("0,0,0");
    await server.json(STATES);
    const text = await (await server.get("/metrics")).text();
    const value = (name: string) =>
      Number(
        text.split("\n").find((line) => line.startsWith(`${name} `))
          ?.split(" ")[1] ?? NaN,
      );
    assert.equal(value('occupancy_zones{state="occupied"}'), 1);
    assert.equal(value('occupancy_zones{state="free"}'), 2);
    assert.equal(value('occupancy_zones{state="unknown"}'), 297);
    assert.equal(value("occupancy_full_zones"), 0);
    assert.equal(value('occupancy_zone_occupied{zone="z1"}'), 1);
    assert.equal(value('occupancy_zone_people{zone="z1"}'), 1);
    assert.equal(value('occupancy_zone_capacity{zone="z0"}'), 3);
    assert.equal(value('occupancy_zone_events_total{event="occupied"}'), 2);
    assert.equal(value('occupancy_zone_events_total{event="full"}'), 1);
    assert.equal(value('occupancy_zone_events_total{event="available"}'), 1);
    assert.equal(value('occupancy_zone_edits_total{outcome="added"}'), 300);
    assert.equal(text.match(/^occupancy_zone_people\{/gm)?.length, 200);
  },
});
