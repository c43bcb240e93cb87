import { AppError } from "../../../common/errors.ts";
import { printableJson } from "../../../common/printable.ts";
import {
  mapTable,
  seriesTable,
  type Table,
  utilisationTable,
} from "../../../http/api/history/columns.ts";
import { writeTable } from "../../../http/api/history/text.ts";
import { type TimeForm, timeText } from "../../terminal/render.ts";
import { announceDownload } from "../../download_notice.ts";
import { env } from "../../env.ts";
import { usageError } from "../../errors.ts";
import { Exit } from "../../exit_codes.ts";
import { replaceFile } from "../../files.ts";
import { HttpApi } from "../../http_api.ts";
import { colorDepth, outputSize } from "../../terminal/capabilities.ts";
import { info, writeOut } from "../../terminal/output.ts";
import { canPage, printPaged } from "../../terminal/pager.ts";
import { cellsOf, HistoryClient, type Parameters } from "./history_client.ts";
import { infoJson, renderInfo } from "./info.ts";
import type { HistoryFlags } from "./options.ts";
import { drawPastMap, renderPastMap } from "./past_map.ts";
import { prune } from "./prune.ts";
import {
  type PastTable,
  renderSeries,
  renderUtilisation,
  type TableLook,
} from "./tables.ts";

/** Maximum rows of a table without and with a pager. */
const MAX_ROWS = 1000;
const MAX_PAGED_ROWS = 100_000;
/** Where stdout is written to. */
const STDOUT = "-";

/** The format of the output. */
type Format = NonNullable<HistoryFlags["format"]>;

/** An answer in the forms in which it can be printed. */
interface Shown {
  /** As the server sent it. */
  readonly text: string;
  /** What was asked, for the metadata of a file. */
  readonly question: object;
  readonly rows: () => Table;
  readonly table: (look: TableLook) => PastTable;
  /** Undefined if the answer is no map. */
  readonly map?: (region: HistoryFlags["region"]) => string;
}

/**
 * Runs `occupancy history`.
 *
 * @param flags its flags
 * @param operands the action, if any
 */
export async function history(
  flags: HistoryFlags,
  [action, extra]: readonly string[],
): Promise<number> {
  if (extra !== undefined) {
    throw usageError(
      `Unexpected argument: ${extra}`,
      "See occupancy history --help.",
    );
  }
  checkOptions(flags, action);
  const format = formatOf(flags);
  const open = async () => new HistoryClient(await HttpApi.open(flags));
  switch (action) {
    case "info": {
      const { answer } = await (await open()).info();
      const timezone = flags.timezone ?? answer.timezone;
      const text = format === "json" || format === "ndjson"
        ? infoJson(answer)
        : renderInfo(answer, timezone);
      await write(text, flags);
      break;
    }
    case "prune":
      await prune(open, flags);
      break;
    default:
      await print(await ask(await open(), flags), format, flags);
  }
  return Exit.ok;
}

/** Options that only some questions have, by the one that needs them. */
const UTILISATION_OPTIONS = ["days", "hours"] as const;
const QUESTION_OPTIONS = [
  ...["at", "zone", "utilisation", "from", "to", "step"] as const,
  ...UTILISATION_OPTIONS,
] as const;

/** @throws {AppError} (usage) if options do not belong together */
function checkOptions(flags: HistoryFlags, action: string | undefined): void {
  const refuse = (name: string, hint: string) => {
    const where = action === undefined ? "here" : `with history ${action}`;
    throw usageError(`Cannot use --${name} ${where}`, hint);
  };
  if (action !== undefined) {
    for (const name of QUESTION_OPTIONS) {
      if (flags[name] === undefined) continue;
      refuse(name, "It is an option of a question: occupancy history.");
    }
  }
  if (action !== "prune" && flags.before !== undefined) {
    refuse("before", "It is an option of occupancy history prune.");
  }
  if (action === undefined && !flags.utilisation) {
    for (const name of UTILISATION_OPTIONS) {
      if (flags[name] === undefined) continue;
      refuse(name, "It selects the time of --utilisation: add that.");
    }
  }
  if (flags.map && flags.at === undefined) {
    refuse("map", "It draws the map at a time: add --at.");
  }
}

/** @throws {AppError} (usage) if the answer has no such format */
function formatOf(flags: HistoryFlags): Format {
  const { format, json, map, output, at } = flags;
  const isShown = output === undefined && Deno.stdout.isTerminal();
  const chosen = json
    ? "json"
    : map
    ? "map"
    : format ?? (isShown ? "table" : "csv");
  if (chosen === "map" && at === undefined) {
    throw usageError(
      "Cannot use --format map here",
      "It draws the map at a time: add --at.",
    );
  }
  if (chosen === "parquet" && output === undefined) {
    throw usageError(
      "Missing --output: a Parquet file is not text",
      `Name a file: --output history.parquet, or ${STDOUT} for stdout.`,
    );
  }
  return chosen;
}

/** Asks the question of the flags. */
async function ask(client: HistoryClient, flags: HistoryFlags): Promise<Shown> {
  const { at, zone, from, to, step, timezone } = flags;
  if (at !== undefined) return await askMap(client, at, flags);
  if (flags.utilisation) {
    const { days, hours } = flags;
    const asked = { ...placeOf(flags), from, to, days, hours, timezone };
    const { text, answer } = await client.utilisation(asked);
    return {
      text,
      question: asked,
      rows: () => utilisationTable(answer.cells),
      table: (look) => renderUtilisation(answer, look),
    };
  }
  const range = { from, to, step, timezone };
  const asked = zone === undefined ? { ...placeOf(flags), ...range } : range;
  const { text, answer } = zone === undefined
    ? await client.series(asked)
    : await client.zone(zone, asked);
  return {
    text,
    question: { zone, ...asked },
    rows: () => seriesTable(answer),
    table: (look) => renderSeries(answer, look),
  };
}

async function askMap(
  client: HistoryClient,
  at: string,
  flags: HistoryFlags,
): Promise<Shown> {
  const asked = { ...placeOf(flags), at, timezone: flags.timezone };
  const { text, answer } = await client.map(asked);
  const format = formatOf(flags);
  // The answer has no time zone; files have times in UTC.
  const timezone = flags.timezone ??
    (format === "table" || format === "map"
      ? (await client.info()).answer.timezone
      : "UTC");
  if (answer.gap) {
    info(
      flags,
      "Nothing was recorded at that time: the cells are as last known before",
    );
  }
  if (answer.damaged) {
    info(
      flags,
      "A part of the records is damaged: cells that are not known for that reason are unknown",
    );
  }
  if (answer.cells.length === 0) {
    info(flags, `No cell of layer ${answer.layer} had a reading before`);
  }
  return {
    text,
    question: asked,
    rows: () => mapTable({ ...answer, cells: cellsOf(answer) }),
    table: (look) => renderPastMap(answer, look, timezone),
    map: (region) => {
      const isTerminal = Deno.stdout.isTerminal();
      const depth = colorDepth(flags.color, env, isTerminal);
      return drawPastMap(answer, { ...outputSize(), depth, region, timezone });
    },
  };
}

function placeOf({ layer, region }: HistoryFlags): Parameters {
  return {
    layer,
    region: region &&
      [region.x0, region.y0, region.x1, region.y1].join(),
  };
}

async function print(
  shown: Shown,
  format: Format,
  flags: HistoryFlags,
): Promise<void> {
  const times = flags.times ?? "rfc3339";
  switch (format) {
    case "table": {
      const { text, headerLines } = shown.table({
        width: outputSize().width,
        color: colorDepth(flags.color, env, Deno.stdout.isTerminal()) !==
          "none",
        maxRows: canPage(flags) ? MAX_PAGED_ROWS : MAX_ROWS,
      });
      return await write(text, flags, headerLines);
    }
    case "map":
      return await write(shown.map!(flags.region), { ...flags, pager: false });
    case "csv":
      return await write([...writeTable(shown.rows(), times)].join(""), flags);
    case "ndjson":
      return await write(writeNdjson(shown.rows(), times), flags);
    case "json":
      return await write(jsonLine(shown.text), flags);
    case "parquet": {
      announceDownload(["hyparquet-writer"], flags);
      const { writeParquet } = await import(
        "../../../http/api/history/parquet.ts"
      );
      const question = printableJson(shown.question);
      const parts = [...writeParquet(shown.rows(), question)];
      await write(await new Blob(parts).bytes(), flags);
    }
  }
}

/** Writes a table as one JSON object a line; unknown values are null. */
function writeNdjson({ columns, length }: Table, times: TimeForm): string {
  const lines: string[] = [];
  for (let row = 0; row < length; row++) {
    const fields = columns.map(({ name, kind, at }) => {
      const value = at(row);
      const isText = kind === "time" && value !== null && times === "rfc3339";
      return [name, isText ? timeText(Number(value), times) : value];
    });
    lines.push(printableJson(Object.fromEntries(fields)) + "\n");
  }
  return lines.join("");
}

/** The answer of the server on one line, printable. */
function jsonLine(text: string): string {
  return `${printableJson(JSON.parse(text))}\n`;
}

/** Writes to the file of `--output`, or to stdout. */
async function write(
  content: string | Uint8Array,
  flags: HistoryFlags,
  headerLines = 0,
): Promise<void> {
  const { output = STDOUT } = flags;
  if (output !== STDOUT) {
    await replaceFile(output, content);
    info(flags, `Wrote ${output}`);
  } else if (typeof content === "string") {
    await printPaged(content, { ...flags, headerLines });
  } else if (Deno.stdout.isTerminal()) {
    throw new AppError("no-text", "Cannot print a Parquet file in a terminal", {
      exitClass: "usage",
      hint: "Name a file: --output history.parquet",
    });
  } else {
    writeOut(content);
  }
}
