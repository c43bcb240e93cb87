import assert from "node:assert/strict";
import {
  formatHistoryParts,
  type HistoryView,
  parseHistoryParts,
} from "../../../src/page/history/history_parts.ts";
import { formatHash, parseHash } from "../../../src/page/controls/view_hash.ts";

Deno.test("the address has the mode, and all that the history shows", () => {
  const view: HistoryView = {
    time: Date.UTC(2026, 10, 24, 9),
    speed: 3600,
    compare: "2026-11-17",
    range: "week",
  };
  const hash = formatHash({
    layer: "hall",
    mode: "history",
    parts: formatHistoryParts(view),
  });
  assert.equal(
    hash,
    "layer=hall&mode=history&time=2026-11-24T09:00:00Z&speed=3600&compare=2026-11-17&range=week",
  );
  const { mode, parts } = parseHash(hash);
  assert.equal(mode, "history");
  assert.deepEqual(parseHistoryParts(parts!), view);
});

Deno.test("parts of an address that are not valid are ignored", () => {
  assert.deepEqual(
    parseHistoryParts({
      time: "yesterday",
      speed: "61",
      compare: "<b>",
      range: "year",
    }),
    { time: undefined, speed: 60, compare: undefined, range: "day" },
  );
  assert.deepEqual(parseHash("mode=elsewhere&time=1"), {});
});
