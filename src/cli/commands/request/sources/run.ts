/**
 * Runs `occupancy request --sources`: prints which sources report.
 *
 * @module
 */
import type { SourceList } from "../../../../protocol/mod.ts";
import { requestSources } from "../../../../request/mod.ts";
import { env } from "../../../env.ts";
import { Exit } from "../../../exit_codes.ts";
import { colorDepth, outputSize } from "../../../terminal/capabilities.ts";
import { info } from "../../../terminal/output.ts";
import { printPaged } from "../../../terminal/pager.ts";
import {
  renderSourceJson,
  renderSourceLines,
  renderSourceTable,
} from "../../../terminal/source_table.ts";
import { askServer } from "../ask.ts";
import type { ZonesForm } from "../mode.ts";
import type { RequestFlags } from "../options.ts";

/** Prints the sources, silent ones first. */
export async function printSources(
  flags: RequestFlags,
  form: ZonesForm,
): Promise<number> {
  const list = await request(flags);
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
  form: ZonesForm,
): string {
  if (form === "json") return renderSourceJson(list);
  if (form === "tsv") return renderSourceLines(list);
  const depth = colorDepth(color, env, Deno.stdout.isTerminal());
  const { width } = outputSize();
  return renderSourceTable(list, { width, color: depth !== "none" });
}

function request(flags: RequestFlags): Promise<SourceList> {
  const { timeout } = flags;
  return askServer(
    flags,
    "That server does not list sources.",
    (requester, link, signal) =>
      requestSources(requester, link, { timeout, signal }),
  );
}
