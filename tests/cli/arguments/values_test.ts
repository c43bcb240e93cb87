import assert from "node:assert/strict";
import fc from "fast-check";
import { AppError } from "../../../src/common/errors.ts";
import {
  parseBroker,
  parseListen,
  parseOrigins,
  parseStore,
} from "../../../src/cli/arguments/address_values.ts";
import {
  parseLayer,
  parseName,
  parsePrefix,
  parseSource,
  parseTimeZone,
} from "../../../src/cli/arguments/name_values.ts";
import {
  parseAt,
  parseCount,
  parseMemory,
  parseRegion,
  parseSize,
  parseStorage,
  parseTimeout,
  parseWait,
} from "../../../src/cli/arguments/number_values.ts";

const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });

function rejects(parse: (text: string) => unknown, texts: string[]): void {
  for (const text of texts) {
    assert.throws(() => parse(text), RangeError, JSON.stringify(text));
  }
}

Deno.test({
  name: "parseOrigins() reads origins with commas or spaces between them",
  permissions: "none",
  fn: () => {
    assert.deepEqual(
      parseOrigins(
        "https://home.example:8123, http://10.0.0.2/ http://[::1]:80",
      ),
      ["https://home.example:8123", "http://10.0.0.2", "http://[::1]"],
    );
    rejects(parseOrigins, [
      ...["", ",", "*", "home.example", "home.example:8123", "null", "'self'"],
      ...["https://*.example", "https://a/path", "https://a?b", "https://a#b"],
      ...[
        "https://u@a",
        "ftp://a",
        "https://a;b",
        "https://",
        "http://a:99999",
      ],
    ]);
  },
});

Deno.test({
  name: "parseWait() rejects more than a timer can wait",
  permissions: "none",
  fn: () => {
    assert.equal(parseWait("24d"), 2_073_600_000);
    rejects(parseWait, ["25d", "3000000", "x"]);
  },
});

Deno.test({
  name: "parseCount() reads 1 to 1000000",
  permissions: "none",
  fn: () => {
    assert.equal(parseCount("1"), 1);
    assert.equal(parseCount("1000000"), 1_000_000);
    rejects(parseCount, ["0", "-1", "1.5", "1e3", "", " 1", "1000001", "x"]);
  },
});

Deno.test({
  name:
    "parseAt() and parseRegion() read all 32-bit integers, corners in any order",
  permissions: "none",
  fn: () => {
    fc.assert(fc.property(int32, int32, int32, int32, (a, b, c, d) => {
      assert.deepEqual(parseAt(`${a},${b}`), { x0: a, y0: b, x1: a, y1: b });
      const region = {
        x0: Math.min(a, c),
        y0: Math.min(b, d),
        x1: Math.max(a, c),
        y1: Math.max(b, d),
      };
      assert.deepEqual(parseRegion(`${a},${b},${c},${d}`), region);
      assert.deepEqual(parseRegion(`${c}, ${b}, ${a}, ${d}`), region);
    }));
    assert.deepEqual(parseAt("+1,-0"), { x0: 1, y0: 0, x1: 1, y1: 0 });
  },
});

Deno.test({
  name: "parseAt() and parseRegion() reject other texts",
  permissions: "none",
  fn: () => {
    rejects(parseAt, ["", "1", "1,2,3", "a,b", "1.5,2", "1e3,2", "1,"]);
    rejects(parseAt, ["2147483648,0", "0,-2147483649", "99999999999,1", "1;2"]);
    rejects(parseRegion, ["", "1,2,3", "1,2,3,4,5", "a,b,c,d", "1,2,3,1e99"]);
  },
});

Deno.test({
  name: "parseListen() reads HOST:PORT, :PORT and [IPv6]:PORT",
  permissions: "none",
  fn: () => {
    const cases = {
      "127.0.0.1:1883": { host: "127.0.0.1", port: 1883 },
      ":0": { host: "127.0.0.1", port: 0 },
      "[::1]:1883": { host: "::1", port: 1883 },
      "broker.local:65535": { host: "broker.local", port: 65_535 },
    };
    for (const [text, listen] of Object.entries(cases)) {
      assert.deepEqual(parseListen(text), listen);
    }
    rejects(parseListen, ["", "1883", "host", "h:", "h:65536", "::1:1883"]);
    rejects(parseListen, ["h:-1", "h:1e3", "[::1]", "h:1:2"]);
  },
});

Deno.test({
  name: "parseTimeout() rejects 0 and more than a timer can wait",
  permissions: "none",
  fn: () => {
    assert.equal(parseTimeout("1ms"), 1);
    assert.equal(parseTimeout("5"), 5000);
    for (const text of ["0", "0s", "0.0001", "25d", "soon", "-1s"]) {
      assert.throws(() => parseTimeout(text), RangeError, text);
    }
  },
});

Deno.test({
  name:
    "parseStore(), parseName() and parseBroker() return valid texts unchanged",
  permissions: "none",
  fn: () => {
    for (const text of ["memory:", "sqlite:map.db", "sqlite:/a b/c"]) {
      assert.equal(parseStore(text), text);
    }
    for (const text of ["", "foo:", "sqlite:", "memory", "map.db"]) {
      assert.throws(() => parseStore(text), RangeError, text);
    }
    assert.equal(parseName("hall 2"), "hall 2");
    for (const text of ["", "  ", "a\nb", "\0"]) {
      assert.throws(() => parseName(text), RangeError, text);
    }
    assert.equal(parseBroker("broker.example"), "broker.example");
    assert.throws(() => parseBroker("http://x"), /Invalid scheme http/);
  },
});

Deno.test({
  name:
    "parsePrefix(), parseLayer() and parseSource() reject names with a hint",
  permissions: "none",
  fn: () => {
    assert.equal(parsePrefix("site/occupancy"), "site/occupancy");
    assert.equal(parseLayer("hall/l2"), "hall/l2");
    assert.equal(parseSource("north door"), "north door");
    const cases = [
      [parsePrefix, "a/#", /^The topic prefix "a\/#" has a wildcard$/],
      [parsePrefix, "$SYS", /starts with \$/],
      [parseLayer, "a//b", /^The layer name "a\/\/b" has an empty level$/],
      [parseSource, "s".repeat(201), /^Source has over 200 characters/],
      [parseSource, "\ud800", /surrogate/],
      [parseLayer, "B\ufffdro", /is not valid UTF-8/],
      [parsePrefix, "B\ufffdro", /is not valid UTF-8/],
    ] as const;
    for (const [parse, text, message] of cases) {
      assert.throws(() => parse(text), (error) => {
        assert.ok(error instanceof AppError);
        assert.match(error.message, message);
        assert.equal(error.exitClass, "usage");
        assert.match(error.hint ?? "", /^Use /);
        return true;
      });
    }
    assert.throws(() => parseSource("B\ufffdro"), /^RangeError: .*UTF-8/);
    assert.throws(() => parseName("B\ufffdro"), RangeError);
  },
});

Deno.test({
  name: "parseSize() and parseMemory() read bytes, KiB, MiB and GiB",
  permissions: "none",
  fn: () => {
    const cases = { "1024": 1024, "1KiB": 1024, "8 mib": 2 ** 23 };
    for (const parse of [parseSize, parseMemory]) {
      for (const [text, bytes] of Object.entries(cases)) {
        assert.equal(parse(text), bytes);
      }
      rejects(parse, [
        "",
        "1023",
        "0",
        "8MB",
        "1.5MiB",
        "-1KiB",
        "MiB",
        "65GiB",
      ]);
    }
    assert.equal(parseSize("256MiB"), 2 ** 28);
    rejects(parseSize, ["257MiB", "1GiB"]);
    assert.equal(parseMemory("64GiB"), 2 ** 36);
  },
});

Deno.test({
  name: "parseStorage() reads up to 64 TiB",
  permissions: "none",
  fn: () => {
    assert.equal(parseStorage("1MiB"), 2 ** 20);
    assert.equal(parseStorage("10GiB"), 10 * 2 ** 30);
    assert.equal(parseStorage("64TiB"), 2 ** 46);
    rejects(parseStorage, ["", "1023KiB", "65TiB", "10GB", "1.5GiB", "-1GiB"]);
  },
});

Deno.test({
  name: "parseTimeZone() accepts names of the IANA time zone database",
  permissions: "none",
  fn: () => {
    assert.equal(parseTimeZone("europe/berlin"), "Europe/Berlin");
    assert.equal(parseTimeZone("UTC"), "UTC");
    rejects(parseTimeZone, ["", "Mars", "Europe/Nowhere", "x".repeat(1000)]);
  },
});
