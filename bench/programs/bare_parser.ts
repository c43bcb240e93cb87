/** mqtt.js and our parser, and nothing is kept: what a server in Deno could reach. */
import { parseReadings, ReadingBatch } from "../../src/protocol/mod.ts";
import { dealtWith } from "./marks.ts";
import { subscribe } from "./subscribe.ts";

const batch = new ReadingBatch();

await subscribe((payload) => {
  batch.clear();
  parseReadings(payload, batch);
  dealtWith();
});
