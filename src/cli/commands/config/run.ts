import { printable, printableJson } from "../../../common/printable.ts";
import { env } from "../../env.ts";
import { type FlagValue, readWords } from "../../arguments/parse.ts";
import {
  CONFIG_VARIABLE,
  settingsOf,
  unexpectedWord,
} from "../../arguments/read_arguments.ts";
import type { Setting } from "../../arguments/settings.ts";
import type { CommandEntry } from "../../arguments/spec.ts";
import { Exit } from "../../exit_codes.ts";
import { helpLayout } from "../../terminal/capabilities.ts";
import { printPaged } from "../../terminal/pager.ts";
import { type ConfigFlags, CONFIGURABLE } from "./options.ts";

/**
 * Runs `occupancy config`: prints effective settings and their sources.
 *
 * @param flags its own flags
 * @param operands the command to show, and words for this command
 * @param commands all commands
 */
export async function config(
  flags: ConfigFlags,
  [command, ...words]: readonly string[],
  commands: readonly CommandEntry[],
): Promise<number> {
  const names = command === undefined ? CONFIGURABLE : [command];
  const { color, columns } = helpLayout(Deno.stdout, flags.color);
  const width = Deno.stdout.isTerminal() ? columns : Infinity;
  const parts: string[] = [];
  for (const name of names) {
    const { loadSpec } = commands.find((entry) => entry.name === name)!;
    const spec = await loadSpec();
    const own = readWords(words, spec.options, `occupancy ${name}`, {
      operandOption: spec.operand?.option,
    });
    if (own.operands.length > 0) {
      throw unexpectedWord(
        own.operands[0]!,
        spec.options,
        `occupancy ${name}`,
      );
    }
    const given = new Map<string, FlagValue>(own.flags);
    // --config is also accepted before the command. The variable is read below.
    const { config } = flags;
    if (
      config !== undefined && !given.has("config") &&
      config !== env(CONFIG_VARIABLE)
    ) given.set("config", config);
    const settings = await settingsOf(name, spec, given, commands);
    parts.push(
      flags.json ? ndjson(name, settings) : table(name, settings, color, width),
    );
  }
  await printPaged(parts.join(flags.json ? "" : "\n"), flags);
  return Exit.ok;
}

function ndjson(command: string, settings: readonly Setting[]): string {
  return settings.map((setting) => {
    const { option, source, where } = setting;
    const record = {
      command,
      option: option.name,
      value: setting.shown ?? null,
      source,
      ...(where && { where }),
    };
    return printableJson(record) + "\n";
  }).join("");
}

/** The settings in columns, or below each other where they are too wide. */
function table(
  command: string,
  settings: readonly Setting[],
  color: boolean,
  width: number,
): string {
  const rows = settings.map((setting) => [
    setting.option.name,
    printable(setting.shown ?? `(${setting.option.unset ?? "not set"})`),
    printable(setting.where || "default"),
  ]);
  const head = ["setting", "value", "source"];
  const widths = head.map((title, i) =>
    Math.max(title.length, ...rows.map((row) => row[i]!.length))
  );
  const line = (row: readonly string[]) =>
    row.map((text, i) => text.padEnd(widths[i]!)).join("  ").trimEnd();
  const dim = (text: string) => color ? `\x1b[2m${text}\x1b[0m` : text;
  const bold = (text: string) => color ? `\x1b[1m${text}\x1b[0m` : text;
  const isSet = (i: number) => settings[i]!.where !== "";
  if (Math.max(...rows.map((row) => line(row).length)) > width) {
    const stacked = rows.flatMap(([name, value, source], i) => [
      isSet(i) ? bold(name!) : name!,
      `    ${value}`,
      ...(isSet(i) ? [dim(`    from ${source}`)] : []),
    ]);
    return [`occupancy ${command}`, ...stacked].join("\n") + "\n";
  }
  const lines = rows.map((row, i) => isSet(i) ? bold(line(row)) : line(row));
  return [`occupancy ${command}`, dim(line(head)), ...lines].join("\n") + "\n";
}
