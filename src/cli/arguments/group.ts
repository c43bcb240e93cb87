/** The group of servers that a flag names. */
import { quoteName } from "../../common/printable.ts";
import { GroupTopics, levelProblem, type Topics } from "../../protocol/mod.ts";
import { isRedisAddress } from "../../store/redis/address.ts";
import { usageError } from "../errors.ts";
import { storeAddress } from "./addresses.ts";

/** The flags that a group depends on. */
interface GroupFlags {
  readonly group?: string;
  readonly name: string;
  readonly store?: string;
}

/**
 * Returns the topics of the group of a server; undefined without a group.
 *
 * @throws {AppError} (usage) if the options of a group do not fit
 */
export function groupOf(
  flags: GroupFlags,
  topics: Topics,
): GroupTopics | undefined {
  const { group, name } = flags;
  if (group === undefined) return undefined;
  if (!isRedisAddress(storeAddress(flags) ?? "")) {
    throw usageError(
      "Cannot use --group without a store that the servers share",
      "Use --store redis://HOST for all servers of the group, or remove --group.",
    );
  }
  const problem = levelProblem(name);
  if (problem !== undefined) {
    throw usageError(
      `Cannot use --group with the --name ${quoteName(name)}: it ${problem}`,
      "Use a --name that is one topic level, such as server-1.",
    );
  }
  return new GroupTopics(topics, group);
}
