/** The text messages of the live feed. */
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  MAX_MESSAGE_LENGTH,
  MessageError,
  parseServerMessage,
  parseViewerMessage,
  viewMessage,
} from "../../src/feed/messages.ts";

const permissions = "none";

Deno.test({
  name: "parseViewerMessage() parses view, ping and got",
  permissions,
  fn: () => {
    assert.deepEqual(
      parseViewerMessage(
        '{"type":"view","layer":"hall/2","region":[-3,-4,5,6]}',
      ),
      {
        type: "view",
        layer: "hall/2",
        region: { x0: -3, y0: -4, x1: 5, y1: 6 },
      },
    );
    assert.deepEqual(
      parseViewerMessage('{"type":"view","layer":"default"}'),
      { type: "view", layer: "default", region: null },
    );
    assert.deepEqual(parseViewerMessage('{"type":"ping","id":7}'), {
      type: "ping",
      id: 7,
    });
    assert.deepEqual(parseViewerMessage('{"type":"got","frames":3}'), {
      type: "got",
      frames: 3,
    });
  },
});

const BAD: readonly (readonly [string, RegExp])[] = [
  ["", /is not JSON/],
  ["null", /is not a JSON object/],
  ["[]", /is not a JSON object/],
  ["{}", /Unknown message type/],
  ['{"type":"hello"}', /Unknown message type/],
  ['{"type":"view"}', /Invalid "layer" in a "view" message/],
  ['{"type":"view","layer":""}', /Invalid layer of a view: .*is empty/],
  ['{"type":"view","layer":"a/#"}', /has a wildcard/],
  ['{"type":"view","layer":"a","region":[1,2,3]}', /Invalid region of a view/],
  [
    '{"type":"view","layer":"a","region":[0,0,0.5,1]}',
    /Invalid region of a view/,
  ],
  [
    '{"type":"view","layer":"a","region":[0,0,2147483648,1]}',
    /Invalid region of a view/,
  ],
  [
    '{"type":"view","layer":"a","region":["0",0,1,1]}',
    /Invalid region of a view/,
  ],
  ['{"type":"ping"}', /Invalid "id" in a "ping" message/],
  ['{"type":"got","frames":-1}', /Invalid "frames" in a "got" message/],
  ['{"type":"got","frames":1.5}', /Invalid "frames" in a "got" message/],
  [
    `"${"x".repeat(MAX_MESSAGE_LENGTH)}"`,
    /4098 characters, at most 4096 are allowed/,
  ],
];

Deno.test({
  name: "parseViewerMessage() throws with the reason for an invalid message",
  permissions,
  fn: () => {
    for (const [text, message] of BAD) {
      assert.throws(() => parseViewerMessage(text), {
        name: "MessageError",
        message,
      }, text);
    }
  },
});

Deno.test({
  name: "parseViewerMessage() and parseServerMessage() only throw MessageError",
  permissions,
  fn: () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      for (const parse of [parseViewerMessage, parseServerMessage]) {
        try {
          parse(text);
        } catch (error) {
          if (!(error instanceof MessageError)) throw error;
        }
      }
    }));
  },
});

Deno.test({
  name: "viewMessage() rounds the region outwards, to int32",
  permissions,
  fn: () => {
    const region = { x0: -0.5, y0: -1e12, x1: 7.2, y1: Infinity };
    assert.deepEqual(parseViewerMessage(viewMessage({ layer: "a", region })), {
      type: "view",
      layer: "a",
      region: { x0: -1, y0: -(2 ** 31), x1: 8, y1: 2 ** 31 - 1 },
    });
  },
});

Deno.test({
  name:
    "parseServerMessage() returns undefined for unknown types, throws for invalid ones",
  permissions,
  fn: () => {
    assert.equal(parseServerMessage('{"type":"news"}'), undefined);
    assert.deepEqual(
      parseServerMessage('{"type":"pong","id":1,"time":2}'),
      { type: "pong", id: 1, time: 2 },
    );
    assert.throws(
      () => parseServerMessage('{"type":"pong","id":1}'),
      MessageError,
    );
    assert.throws(
      () => parseServerMessage('{"type":"status","broker":"so-so"}'),
      MessageError,
    );
  },
});
