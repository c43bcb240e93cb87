/** `GET /openapi.json` is valid, complete and correct. */
import Ajv2020 from "ajv/dist/2020.js";
import assert from "node:assert/strict";
import { Validator } from "openapi-schema-validator";
import { MemoryHistory } from "../support/memory_history.ts";
import { needs } from "../support/needs.ts";
import { PLANS } from "./plans_fixture.ts";
import { startServer, type TestServer } from "./support.ts";

/** Paths whose response has no JSON, or no end. */
const NOT_JSON = ["/", "/assets/{file}", "/live", "/api/v1/changes"];

// deno-lint-ignore no-explicit-any
type Json = any;

async function startWithCells(): Promise<TestServer> {
  const server = await startServer({
    plans: PLANS,
    ageing: { staleAfter: 60_000 },
    history: new MemoryHistory({
      oldest: 0,
      now: Date.now,
      records: [
        { at: 1000, x: 1, y: 1, value: 1, isOld: true },
        { at: 2000, x: 1, y: 2, value: 0, stale: true },
      ],
      gaps: [[5000, 6000]],
      zones: ["lobby"],
    }),
  });
  await server.post('{"source":"cam","cells":[[1,1,1],[1,2,0],[5,5,-1]]}');
  await server.post("1,1,1", "?layer=old");
  return server;
}

Deno.test({
  name: "GET openapi.json is valid OpenAPI 3.1",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    const document = await server.json("/openapi.json");
    const validator = new Validator();
    const { valid, errors } = await validator.validate(document);
    assert.ok(valid, JSON.stringify(errors));
    assert.equal(validator.version, "3.1");
  },
});

Deno.test({
  name: "GET openapi.json has exactly the routes of the server",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    const { paths } = await server.json("/openapi.json");
    const { routes } = await server.json("/nothing");
    const described = Object.entries<Json>(paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`)
    );
    assert.deepEqual(
      described,
      routes.map((route: string) => route.replace("*", "{file}")),
    );
    const ids = Object.values<Json>(paths).flatMap((item) =>
      Object.values<Json>(item).map(({ operationId }) => operationId)
    );
    assert.equal(new Set(ids).size, ids.length);
  },
});

Deno.test({
  name: "the response to every example in openapi.json matches its schema",
  ...needs(),
  fn: async () => {
    await using server = await startWithCells();
    const document = await server.json("/openapi.json");
    let checked = 0;
    for (const [path, item] of Object.entries<Json>(document.paths)) {
      if (NOT_JSON.includes(path)) continue;
      for (const [method, operation] of Object.entries<Json>(item)) {
        for (const request of requestsOf(method, path, operation)) {
          const response = await server.get(request.path, request.init);
          const what = `${method} ${request.path}`;
          assert.equal(response.status, 200, what);
          const type = response.headers.get("content-type")!.split(";")[0]!;
          const { schema } = operation.responses[200].content[type] ??
            assert.fail(`${what}: ${type} is not described`);
          if (/^application\/(?:geo\+)?json$/.test(type)) {
            checkSchema(document, schema, await response.json(), what);
            checked++;
          }
        }
      }
    }
    assert.ok(checked >= 10, `${checked} responses`);
  },
});

Deno.test({
  name: "problems have a status and a schema that openapi.json lists",
  ...needs(),
  fn: async () => {
    await using server = await startWithCells();
    const document = await server.json("/openapi.json");
    const { paths, components } = document;
    for (
      const [path, route, init] of [
        ["/api/v1/cells?region=1", "/api/v1/cells", {}],
        ["/api/v1/cell?x=1", "/api/v1/cell", {}],
        ["/api/v1/sources?limit=0", "/api/v1/sources", {}],
        ["/api/v1/readings", "/api/v1/readings", { method: "POST" }],
        ["/api/v1/plans/none/image", "/api/v1/plans/{layer}/image", {}],
        ["/live", "/live", {}],
        ["/api/v1/layers/none", "/api/v1/layers/{layer}", {
          method: "DELETE",
        }],
        ["/api/v1/zones", "/api/v1/zones", { method: "PUT", body: "{}" }],
        ["/api/v1/zones/a", "/api/v1/zones/{name}", {
          method: "PUT",
          body: '{"type":"Feature"}',
        }],
        ["/api/v1/zones/none", "/api/v1/zones/{name}", {}],
        ["/api/v1/zones/%23", "/api/v1/zones/{name}", {}],
        ["/api/v1/zone-states/none", "/api/v1/zone-states/{name}", {}],
        ["/api/v1/history?x=1", "/api/v1/history", {}],
        ["/api/v1/history/map", "/api/v1/history/map", {}],
        ["/api/v1/history/changes?from=x", "/api/v1/history/changes", {}],
        ["/api/v1/history/zones/none", "/api/v1/history/zones/{name}", {}],
        ["/api/v1/history/series?step=1s", "/api/v1/history/series", {}],
        [
          "/api/v1/history/utilisation?days=8",
          "/api/v1/history/utilisation",
          {},
        ],
      ] as const
    ) {
      const response = await server.get(path, init);
      const method = "method" in init ? init.method.toLowerCase() : "get";
      const spec = paths[route][method].responses[response.status];
      assert.ok(spec?.content["application/problem+json"], path);
      const problem = await response.json();
      checkSchema(document, components.schemas.Problem, problem, path);
    }
  },
});

interface Example {
  readonly path: string;
  readonly init: RequestInit;
}

/** Returns a request with all example parameters, for each example body. */
function requestsOf(method: string, path: string, operation: Json): Example[] {
  const query = new URLSearchParams();
  for (const { name, in: where, example } of operation.parameters ?? []) {
    if (example === undefined) continue;
    if (where === "query") query.set(name, String(example));
    if (where === "path") path = path.replace(`{${name}}`, String(example));
  }
  const target = query.size === 0 ? path : `${path}?${query}`;
  const bodies = Object.entries<Json>(operation.requestBody?.content ?? {});
  if (bodies.length === 0) return [{ path: target, init: { method } }];
  return bodies.map(([type, { example }]) => ({
    path: target,
    init: {
      method,
      headers: { "content-type": type },
      body: typeof example === "string" ? example : JSON.stringify(example),
    },
  }));
}

function checkSchema(
  document: Json,
  schema: Json,
  value: unknown,
  what: string,
) {
  const ajv = new Ajv2020.default({ strict: false, allErrors: true });
  ajv.addSchema({ $id: "openapi", components: document.components });
  const check = ajv.compile(schema);
  assert.ok(check(value), `${what}: ${JSON.stringify(check.errors)}`);
}
