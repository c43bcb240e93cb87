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
  name: "parseViewerMessage() reads a view, a ping and what was got",
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
  ["{}", /no known "type"/],
  ['{"type":"hello"}', /no known "type"/],
  ['{"type":"view"}', /"view" message has no good "layer"/],
  ['{"type":"view","layer":""}', /layer that is none: .*is empty/],
  ['{"type":"view","layer":"a/#"}', /has a wildcard/],
  ['{"type":"view","layer":"a","region":[1,2,3]}', /region that is none/],
  ['{"type":"view","layer":"a","region":[2,0,1,0]}', /region that is none/],
  ['{"type":"view","layer":"a","region":[0,0,0.5,1]}', /region that is none/],
  [
    '{"type":"view","layer":"a","region":[0,0,2147483648,1]}',
    /region that is none/,
  ],
  ['{"type":"view","layer":"a","region":["0",0,1,1]}', /region that is none/],
  ['{"type":"ping"}', /"ping" message has no good "id"/],
  ['{"type":"got","frames":-1}', /"got" message has no good "frames"/],
  ['{"type":"got","frames":1.5}', /"got" message has no good "frames"/],
  [`"${"x".repeat(MAX_MESSAGE_LENGTH)}"`, /4098 characters; 4096 are allowed/],
];

Deno.test({
  name: "parseViewerMessage() says what is wrong with a bad message",
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
  name:
    "parseViewerMessage() throws nothing but a MessageError, whatever comes",
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
  name: "viewMessage() asks for whole cells, and for none beyond int32",
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
    "parseServerMessage() leaves out types it does not know, and refuses bad ones",
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
