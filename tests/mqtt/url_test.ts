import assert from "node:assert/strict";
import { LinkError } from "../../src/mqtt/link.ts";
import { brokerUrl, redactUrl } from "../../src/mqtt/url.ts";

Deno.test({
  name: "brokerUrl() completes an address without a scheme",
  permissions: "none",
  fn: () => {
    assert.equal(brokerUrl("broker.example"), "mqtt://broker.example");
    assert.equal(brokerUrl("10.0.0.1:1884"), "mqtt://10.0.0.1:1884");
    assert.equal(brokerUrl("[::1]:1883"), "mqtt://[::1]:1883");
    for (const scheme of ["mqtt", "mqtts", "ws", "wss"]) {
      assert.equal(brokerUrl(`${scheme}://b`), `${scheme}://b`);
    }
  },
});

Deno.test({
  name: "brokerUrl() refuses what is no broker's address, with a hint",
  permissions: "none",
  fn: () => {
    const cases = {
      "": /Not a broker address/,
      "mqtt://": /Not a broker address/,
      "mqtt://host:99999": /Not a broker address/,
      "two words": /Not a broker address/,
      "http://host": /Cannot speak http to a broker/,
      "tcp://host:1883": /Cannot speak tcp to a broker/,
    };
    for (const [text, message] of Object.entries(cases)) {
      assert.throws(
        () => brokerUrl(text),
        (error) =>
          error instanceof LinkError && message.test(error.message) &&
          error.hint !== undefined,
        text,
      );
    }
  },
});

Deno.test({
  name: "brokerUrl() does not show a password when it refuses an address",
  permissions: "none",
  fn: () => {
    for (
      const text of [
        "http://ann:s3cret@host",
        "mqtt://ann:s3c/ret@host",
        "ann:s3cret@host:99999",
        "mqtt://ann:s3@cret@host:99999",
      ]
    ) {
      assert.throws(
        () => brokerUrl(text),
        (error: Error) => !/s3|cret/.test(error.message),
        text,
      );
    }
  },
});

Deno.test({
  name: "redactUrl() hides the password and nothing else",
  permissions: "none",
  fn: () => {
    const cases = {
      "mqtt://ann:s3cret@host:1883": "mqtt://ann:***@host:1883",
      "mqtts://ann:s3@cret@host": "mqtts://ann:***@host",
      "mqtt://:s3cret@host": "mqtt://:***@host",
      "mqtt://ann@host:1883": "mqtt://ann@host:1883",
      "mqtt://host:1883": "mqtt://host:1883",
      "ws://ann:s3:cret@host/path": "ws://ann:***@host/path",
      "ws://host:8080/a@b": "ws://host:8080/a@b",
      "mqtt://[::1]:1883": "mqtt://[::1]:1883",
    };
    for (const [text, shown] of Object.entries(cases)) {
      assert.equal(redactUrl(text), shown);
    }
  },
});
