/**
 * mqtt.js and our parser, without a map: the upper bound for a server in Deno.
 *
 * @module
 */
import { parseReadings, ReadingBatch } from "../../src/protocol/mod.ts";
import { countProcessed } from "./marks.ts";
import { subscribe } from "./subscribe.ts";

const batch = new ReadingBatch();

await subscribe((payload) => {
  batch.clear();
  parseReadings(payload, batch);
  countProcessed();
});
