/**
 * `occupancy history prune`: deletes what was recorded before a time.
 *
 * @module
 */
import { printable, printableJson } from "../../../common/printable.ts";
import { DEFAULT_LAYER } from "../../../protocol/topics.ts";
import { usageError } from "../../errors.ts";
import { assertCanAsk, confirm } from "../../terminal/confirm.ts";
import { info, writeOut } from "../../terminal/output.ts";
import type { HistoryClient } from "./history_client.ts";
import type { HistoryFlags } from "./options.ts";
import { bytesText } from "../../../common/sizes.ts";

/**
 * Deletes the history before `--before`.
 *
 * @param open connects to the server
 * @throws {AppError} (usage) without a time, or if it cannot ask
 */
export async function prune(
  open: () => Promise<HistoryClient>,
  flags: HistoryFlags,
): Promise<void> {
  const { before, timezone } = flags;
  if (before === undefined) {
    throw usageError(
      "Missing --before after occupancy history prune",
      "Name the time up to which the history is deleted: --before -90d.",
    );
  }
  for (
    const [name, isSet] of [
      ["region", flags.region !== undefined],
      ["layer", flags.layer !== DEFAULT_LAYER],
    ] as const
  ) {
    if (!isSet) continue;
    throw usageError(
      `Cannot use --${name} with history prune`,
      "It deletes the history of all cells. To delete a layer with its history: occupancy layers delete.",
    );
  }
  assertCanAsk(flags);
  const client = await open();
  const question = `Delete the history of all layers and zones before ${
    printable(before)
  }? [y/N] `;
  if (!flags.yes && !confirm(question)) {
    info(flags, "Nothing was deleted");
    return;
  }
  const { answer } = await client.prune({ before, timezone });
  if (flags.json) {
    writeOut(`${printableJson(answer)}\n`);
    return;
  }
  const { bytesBefore, bytes, done, oldest } = answer;
  const time = new Date(answer.before).toISOString();
  if (!done) {
    info(
      flags,
      `The server is deleting what was recorded before ${time}: occupancy history info shows the size`,
    );
    return;
  }
  const first = oldest === undefined
    ? ""
    : `; the oldest map is of ${new Date(oldest).toISOString()}`;
  info(
    flags,
    `Deleted what was recorded before ${time}: ${bytesText(bytes)} remain of ${
      bytesText(bytesBefore)
    }${first}`,
  );
}
