import assert from "node:assert/strict";
import { LinkError } from "../../src/mqtt/link.ts";
import {
  brokerUrl,
  loginOf,
  networkTarget,
  redactUrl,
  withoutLogin,
} from "../../src/mqtt/url.ts";

Deno.test({
  name: "brokerUrl() adds the scheme mqtt",
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
  name: "brokerUrl() throws for other text, with a hint",
  permissions: "none",
  fn: () => {
    const cases = {
      "": /^Invalid broker address/,
      "mqtt://": /^Invalid broker address/,
      "mqtt://host:99999": /^Invalid broker address/,
      "two words": /^Invalid broker address/,
      "http://host": /^Invalid scheme http /,
      "tcp://host:1883": /^Invalid scheme tcp /,
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
  name: "brokerUrl() throws an error without the password",
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
  name:
    "brokerUrl() refuses a % that encodes nothing, and # ? @ after the host, with a hint",
  permissions: "none",
  fn: () => {
    const cases = {
      "mqtt://ann:50%s3cret@host": /: a "%" in user or password/,
      "mqtts://ann:s3cret%@host": /: a "%" in user or password/,
      "ws://a%n:s3cret@host": /: a "%" in user or password/,
      "ann:%ffs3cret@host": /: a "%" in user or password/,
      "mqtt://ann:12#s3cret@host": /: a "#" after the host/,
      "mqtt://ann:12?s3cret@host": /: a "\?" after the host/,
      "mqtt://ann:12/s3cret@host": /: a "@" after the host/,
      "mqtt://host?password=s3cret": /: a "\?" after the host/,
      "ws://host#s3cret": /: a "#" after the host/,
    };
    for (const [text, message] of Object.entries(cases)) {
      assert.throws(
        () => brokerUrl(text),
        (error) =>
          error instanceof LinkError && error.exitClass === "usage" &&
          message.test(error.message) && !/s3cret/.test(error.message) &&
          /write % as %25/.test(error.hint ?? ""),
        text,
      );
    }
    assert.equal(brokerUrl("ann:50%25@host"), "mqtt://ann:50%25@host");
    assert.equal(brokerUrl("ws://host/mqtt?key=1"), "ws://host/mqtt?key=1");
  },
});

Deno.test({
  name: "redactUrl() hides only the password",
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
      "ann:s3cret@host": "ann:***@host",
      "ann%3As3cret@host": "ann:***@host",
      "mqtt://ann%3as3cret@host": "mqtt://ann:***@host",
      "ws://host/mqtt?password=s3cret&x=1": "ws://host/mqtt?password=***&x=***",
      "host:1883?password=s3cret": "host:1883?password=***",
      "mqtt://host#s3cret": "mqtt://host#***",
      "mqtt://ann:s3/cret@host": "mqtt://ann:***@host",
      "mqtt://ann:12/cret@host": "mqtt://ann:***@host",
      "mqtt://ann:12#cret@host": "mqtt://ann:***@host",
      "mqtt://ann:12?cret@host": "mqtt://ann:***@host",
      " mqtt://ann:s3cret@host": " mqtt://ann:***@host",
      "MQTT://ann:s3cret@host": "MQTT://ann:***@host",
      "ann:s3cret@": "ann:***@",
      "": "",
    };
    for (const [text, shown] of Object.entries(cases)) {
      assert.equal(redactUrl(text), shown);
    }
  },
});

Deno.test({
  name: "networkTarget() returns host and port, by default 1883 or 8883",
  permissions: "none",
  fn: () => {
    const cases = {
      "mqtt://broker.example": ["broker.example", 1883],
      "mqtt://10.0.0.1:1884": ["10.0.0.1", 1884],
      "mqtt://broker:80/ignored?x=1": ["broker", 80],
      "MQTT://broker": ["broker", 1883],
      "mqtt://[::1]": ["::1", 1883],
      "mqtt://[fe80::1]:1884": ["fe80::1", 1884],
      "mqtt://bücher.example": ["xn--bcher-kva.example", 1883],
      "mqtts://me:secret@broker": ["broker", 8883],
      "MQTTS://broker:1884": ["broker", 1884],
    };
    for (const [url, [host, port]] of Object.entries(cases)) {
      assert.deepEqual(networkTarget(url), { host, port }, url);
    }
  },
});

Deno.test({
  name: "loginOf() decodes user and password, also with a colon or an @",
  permissions: "none",
  fn: () => {
    const cases: Record<string, { username?: string; password?: string }> = {
      "mqtt://b": {},
      "wss://me:secret@b/mqtt": { username: "me", password: "secret" },
      "mqtts://:secret@b": { password: "secret" },
      "mqtt://me@b": { username: "me" },
      "mqtt://me:secret@b": { username: "me", password: "secret" },
      "mqtt://m%40e:p%3A%2Fs@b": { username: "m@e", password: "p:/s" },
      "mqtt://me:a:b@b": { username: "me", password: "a:b" },
      "mqtt://me:a@b@b": { username: "me", password: "a@b" },
    };
    for (const [url, login] of Object.entries(cases)) {
      assert.deepEqual(loginOf(url), login, url);
    }
    assert.throws(() => loginOf("mqtt://me:50%@b"), URIError);
  },
});

Deno.test({
  name: "withoutLogin() removes user and password only",
  permissions: "none",
  fn: () => {
    const cases = {
      "mqtt://b:1884": "mqtt://b:1884",
      "mqtts://me@b": "mqtts://b",
      "wss://me:a@b@b:8080/mqtt@x?y=1": "wss://b:8080/mqtt@x?y=1",
    };
    for (const [url, rest] of Object.entries(cases)) {
      assert.equal(withoutLogin(url), rest);
    }
  },
});
