import { memoryLimit } from "../../../common/memory.ts";
import { printable } from "../../../common/printable.ts";
import { plural } from "../../../common/plural.ts";
import { mapMemoryOf } from "../../../grid/mod.ts";
import { redactUrl } from "../../../mqtt/url.ts";
import { hideRedisLogin } from "../../../store/redis/address.ts";
import { copyStore } from "../../../store/copy/copy.ts";
import { readRedisFiles } from "../../arguments/redis_files.ts";
import { parseStore } from "../../arguments/address_values.ts";
import { usageError } from "../../errors.ts";
import { Exit } from "../../exit_codes.ts";
import { Ending } from "../../terminal/ending.ts";
import { info, printWarning } from "../../terminal/output.ts";
import type { StoreFlags } from "./options.ts";

/**
 * Runs `occupancy store`.
 *
 * @param flags its flags
 * @param operands the action, then its stores
 */
export async function store(
  flags: StoreFlags,
  [, ...addresses]: readonly string[],
): Promise<number> {
  const [from, to] = twoStores(addresses);
  using ending = new Ending({ timeoutMs: Infinity });
  const memoryBytes = memoryLimit().bytes;
  const { maxBytes } = mapMemoryOf(memoryBytes);
  const copied = await copyStore(from, to, {
    force: flags.force ?? false,
    limit: { maxBytes, memoryBytes },
    redis: {
      ...await readRedisFiles(flags, [from, to], printWarning),
      shards: flags.shards,
    },
    onWarning: printWarning,
    signal: ending.signal,
  });
  const { cells, layers, records, history, replaced } = copied;
  const contents = [
    `${plural(cells, "cell")} in ${plural(layers, "layer")}`,
    plural(records, "record"),
    ...history === undefined ? [] : [`${plural(history, "row")} of history`],
  ];
  const last = contents.pop()!;
  info(
    flags,
    `Copied ${contents.join(", ")} and ${last} to ${hideRedisLogin(to)}`,
  );
  if (replaced !== undefined) info(flags, replaced);
  return Exit.ok;
}

/** @throws {AppError} (usage) unless there are two valid addresses */
function twoStores(addresses: readonly string[]): [string, string] {
  const [from, to, extra] = addresses;
  if (from === undefined || to === undefined || extra !== undefined) {
    throw usageError(
      extra === undefined
        ? `Missing ${
          from === undefined ? "stores" : "store"
        } after occupancy store copy`
        : "Unexpected argument after the second store",
      "Name the store to copy and the new one: occupancy store copy sqlite:map.db sqlite:backup.db.",
    );
  }
  return [parse(from), parse(to)];
}

function parse(address: string): string {
  try {
    return parseStore(address);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const hidden = hideRedisLogin(address);
    const shown = hidden === address ? redactUrl(address) : hidden;
    throw usageError(
      `Cannot use the store "${printable(shown)}"`,
      error.message,
      error,
    );
  }
}
