/**
 * Reads readings from a file, a pipe or objects, and publishes them.
 *
 * @module
 */
export { type Reading, type ReadingTable, toBatch } from "./to_batch.ts";
export {
  type BadRow,
  formatOf,
  readRows,
  type RowFormat,
  type Rows,
} from "./rows.ts";
export { Sender, type SendOptions, type Sent } from "./sender.ts";
