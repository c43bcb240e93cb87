/**
 * The simplest server: mqtt.js, `split`, and a Map with string keys.
 *
 * @module
 */
import { countProcessed } from "./marks.ts";
import { subscribe } from "./subscribe.ts";

const cells = new Map<string, number>();
const decoder = new TextDecoder();

await subscribe((payload) => {
  for (const line of decoder.decode(payload).split("\n")) {
    if (line === "") continue;
    const [x, y, value] = line.split(",");
    cells.set(`${x},${y}`, Number(value));
  }
  countProcessed();
});
