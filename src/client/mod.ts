/**
 * Reads readings from a file, a pipe or objects, and publishes them.
 *
 * @module
 */
export type { ConnectOptions } from "./connect_options.ts";
export { type Reading, type ReadingTable, toBatch } from "./to_batch.ts";
export { formatOf, type RowFormat } from "./input_format.ts";
export type { BadRow } from "./row_parsers.ts";
export { readRows, type ReadRowsOptions, type Rows } from "./rows.ts";
export { Sender, type SendOptions, type Sent } from "./sender.ts";
