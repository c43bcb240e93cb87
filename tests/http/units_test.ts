/** Unit tests of the router, the limits, the rates, and response headers. */
import assert from "node:assert/strict";
import { LayerRates, Rates } from "../../src/http/metrics/rates.ts";
import { Problem } from "../../src/http/problem.ts";
import { acceptsGzip, matchesETag } from "../../src/http/responses.ts";
import { allowedMethods, findRoute } from "../../src/http/router.ts";

const ROUTES = [
  { method: "GET", path: "/" },
  { method: "GET", path: "/cells" },
  { method: "POST", path: "/cells" },
  { method: "GET", path: "/plans/{layer}/image" },
  { method: "GET", path: "/assets/*" },
] as const;

function statusOf(method: string, path: string): number {
  try {
    findRoute(ROUTES, method, path);
    return 200;
  } catch (error) {
    assert.ok(error instanceof Problem);
    return error.toResponse().status;
  }
}

Deno.test({
  name: "findRoute() matches the whole path, HEAD as GET",
  permissions: "none",
  fn: () => {
    assert.equal(findRoute(ROUTES, "GET", "/cells")!.route, ROUTES[1]);
    assert.equal(findRoute(ROUTES, "HEAD", "/cells")!.route, ROUTES[1]);
    assert.equal(findRoute(ROUTES, "POST", "/cells")!.route, ROUTES[2]);
    assert.equal(findRoute(ROUTES, "GET", "/assets/a/b.js")!.route, ROUTES[4]);
    assert.equal(findRoute(ROUTES, "OPTIONS", "/cells"), undefined);
    for (
      const path of ["/cell", "/cells/", "//cells", "/assets", "/plans/image"]
    ) {
      assert.equal(statusOf("GET", path), 404, path);
    }
    assert.equal(statusOf("PUT", "/cells"), 405);
    assert.equal(allowedMethods(ROUTES, "/cells"), "GET, HEAD, POST, OPTIONS");
  },
});

Deno.test({
  name: "findRoute() decodes names once, and matches no path that is not UTF-8",
  permissions: "none",
  fn: () => {
    const layerOf = (path: string) =>
      findRoute(ROUTES, "GET", path)!.params.layer;
    assert.equal(layerOf("/plans/hall%2Fl2/image"), "hall/l2");
    assert.equal(layerOf("/plans/%252e/image"), "%2e");
    assert.equal(statusOf("GET", "/plans/%ff/image"), 404);
    // Some proxies decode %2F.
    assert.equal(layerOf("/plans/a/b/image"), "a/b");
    assert.equal(statusOf("GET", "/plans//image"), 404);
  },
});

Deno.test({
  name: "matchesETag() compares weakly, in lists too",
  permissions: "none",
  fn: () => {
    assert.ok(matchesETag('W/"5"', 'W/"5"'));
    assert.ok(matchesETag('"5"', 'W/"5"'));
    assert.ok(matchesETag('"4", W/"5"', 'W/"5"'));
    assert.ok(matchesETag("*", 'W/"5"'));
    assert.ok(!matchesETag('"55"', 'W/"5"'));
    assert.ok(!matchesETag(null, 'W/"5"'));
  },
});

Deno.test({
  name: "acceptsGzip() returns false for a weight of 0",
  permissions: "none",
  fn: () => {
    for (const yes of ["gzip", "br, gzip;q=0.5", "*", "GZIP"]) {
      assert.ok(acceptsGzip(yes), yes);
    }
    for (const no of ["", "br", "gzip;q=0", "gzip;q=0, *", "identity"]) {
      assert.ok(!acceptsGzip(no), no);
    }
    assert.ok(!acceptsGzip(null));
  },
});

Deno.test({
  name: "Rates.report() averages over the last ten seconds",
  permissions: "none",
  fn: () => {
    const rates = new Rates();
    const counts = {
      requests: 0,
      removedCells: 0,
      refused: new Map<string, number>(),
      limited: [],
      changedByLayer: new Map<string, number>(),
    };
    assert.equal(rates.report().readings, 0);
    for (let second = 0; second <= 30; second++) {
      const accepted = second <= 20 ? 0 : (second - 20) * 500;
      rates.sample({
        ...counts,
        accepted,
        changed: accepted / 2,
        messages: second,
        bytes: second * 10,
      }, second * 1000);
    }
    assert.deepEqual(rates.report(), {
      readings: 500,
      changes: 250,
      messages: 1,
      bytes: 10,
    });
  },
});

Deno.test({
  name: "LayerRates.perSecond() averages each layer over the last ten seconds",
  permissions: "none",
  fn: () => {
    const rates = new LayerRates();
    assert.equal(rates.perSecond("a"), 0);
    for (let second = 0; second <= 30; second++) {
      rates.begin(second * 1000);
      rates.add("a", second <= 20 ? 0 : (second - 20) * 50);
      // A layer that begins in the last second had no changes before.
      if (second === 30) rates.add("new", 20);
    }
    assert.equal(rates.perSecond("a"), 50);
    assert.equal(rates.perSecond("new"), 20);
    assert.equal(rates.perSecond("other"), 0);
  },
});
