/**
 * Runs `occupancy request --sources`: prints which sources report.
 *
 * @module
 */
import { type SourceList, Topics } from "../../../../protocol/mod.ts";
import { Requester, requestSources } from "../../../../request/mod.ts";
import { connect, leave, uniqueClientId } from "../../../connect.ts";
import { env } from "../../../env.ts";
import { usageError } from "../../../errors.ts";
import { Exit } from "../../../exit_codes.ts";
import { requestUnlessOriginal } from "../../../original_server.ts";
import { colorDepth, outputSize } from "../../../terminal/capabilities.ts";
import { Ending } from "../../../terminal/ending.ts";
import { info } from "../../../terminal/output.ts";
import { printPaged } from "../../../terminal/pager.ts";
import {
  renderSourceJson,
  renderSourceLines,
  renderSourceTable,
} from "../../../terminal/source_table.ts";
import type { RequestFlags } from "../options.ts";

/** Prints the sources, silent ones first. */
export async function printSources(flags: RequestFlags): Promise<number> {
  if (flags.wire === "original") {
    throw usageError(
      "Cannot use --sources with --wire original",
      "Remove --sources, or --wire original.",
    );
  }
  const list = await request(flags);
  const suitable = Deno.stdout.isTerminal() ? "table" : "tsv";
  const form = flags.json ? "json" : flags.format ?? suitable;
  await printPaged(rendered(list, flags, form), {
    ...flags,
    headerLines: form === "table" ? 2 : 0,
  });
  if (list.total === 0) {
    info(
      flags,
      "No reading has named its source since the server started: use occupancy client --source NAME",
    );
  }
  return Exit.ok;
}

function rendered(
  list: SourceList,
  { color }: RequestFlags,
  form: "table" | "tsv" | "json",
): string {
  if (form === "json") return renderSourceJson(list);
  if (form === "tsv") return renderSourceLines(list);
  const depth = colorDepth(color, env, Deno.stdout.isTerminal());
  const { width } = outputSize();
  return renderSourceTable(list, { width, color: depth !== "none" });
}

async function request(flags: RequestFlags): Promise<SourceList> {
  const { timeout } = flags;
  const topics = new Topics(flags.prefix);
  const requester = new Requester({ topics, name: uniqueClientId("request") });
  using ending = new Ending();
  const { signal } = ending;
  const link = await connect(flags, requester, { signal });
  try {
    return await requestUnlessOriginal(
      (signal) => requestSources(requester, link, { timeout, signal }),
      flags,
      {
        topics,
        hint: "That server does not list sources.",
        signal,
        isKnown: () => requester.serverState !== undefined,
      },
    );
  } finally {
    await leave(link);
  }
}
