/** Which pages may open a WebSocket to the broker without a user. */
import assert from "node:assert/strict";
import { isForeignPage } from "../../../src/broker/listeners/page_origin.ts";

const HOME = "https://home.example:8123";

Deno.test({
  name: "isForeignPage() compares the origin of a page with the broker's host",
  permissions: "none",
  fn: () => {
    const cases: [string | undefined, string | undefined, string, boolean][] = [
      // A program sends no origin.
      [undefined, "127.0.0.1:9001", "127.0.0.1", false],
      [undefined, undefined, "192.168.1.2", false],
      ["http://127.0.0.1:8080", "127.0.0.1:9001", "127.0.0.1", false],
      ["http://localhost:8080", "127.0.0.1:9001", "::ffff:127.0.0.1", false],
      ["http://[::1]:8080", "localhost:9001", "::1", false],
      ["https://evil.example", "127.0.0.1:9001", "127.0.0.1", true],
      ["https://evil.example", "evil.example:9001", "127.0.0.1", true],
      ["http://127.0.0.1", "evil.example:9001", "127.0.0.1", true],
      ["http://192.168.1.2:8080", "192.168.1.2:9001", "192.168.1.2", false],
      ["https://map.example", "map.example:9443", "192.168.1.2", false],
      ["https://MAP.example", "map.EXAMPLE:9443", "192.168.1.2", false],
      ["https://evil.example", "192.168.1.2:9001", "192.168.1.2", true],
      ["http://localhost:8080", "192.168.1.2:9001", "192.168.1.2", true],
      ["null", "127.0.0.1:9001", "127.0.0.1", true],
      ["file://", "127.0.0.1:9001", "127.0.0.1", true],
      ["http://127.0.0.1", undefined, "127.0.0.1", true],
      ["", "127.0.0.1:9001", "127.0.0.1", true],
      [HOME, "127.0.0.1:9001", "127.0.0.1", false],
      ["https://home.example", "127.0.0.1:9001", "127.0.0.1", true],
    ];
    for (const [origin, host, localAddress, expected] of cases) {
      const request = { origin, host, localAddress };
      assert.equal(
        isForeignPage(request, [HOME]),
        expected,
        JSON.stringify(request),
      );
    }
  },
});
