import { COMMANDS } from "../mod.ts";
import { CONFIG } from "./options.ts";
import type { ColorWhen } from "../../terminal/color.ts";
import { CliError, Exit } from "../../exit.ts";
import { helpLook, writeOut } from "../../terminal/output.ts";
import { settingsOf } from "../../arguments/prepare.ts";
import type { Setting } from "../../arguments/settings.ts";
import { readWords } from "../../arguments/parse.ts";

/** Options of `occupancy config`. */
export interface ConfigFlags {
  readonly config?: string;
  readonly json?: true;
  readonly color: ColorWhen;
}

/** `occupancy config`: what is in force, and where it comes from. */
export async function config(
  flags: ConfigFlags,
  [command, ...words]: string[],
): Promise<number> {
  const commands = command === undefined ? CONFIG.operand!.choices : [command];
  const { color, columns } = helpLook(Deno.stdout, flags.color);
  // A pipe has room for whole lines.
  const room = Deno.stdout.isTerminal() ? columns : Infinity;
  const parts: string[] = [];
  for (const name of commands) {
    const settings = await inForce(name, words, flags.config);
    parts.push(
      flags.json ? ndjson(name, settings) : table(name, settings, color, room),
    );
  }
  writeOut(parts.join(flags.json ? "" : "\n"));
  return Exit.ok;
}

async function inForce(
  name: string,
  words: readonly string[],
  file: string | undefined,
): Promise<Setting[]> {
  const spec = await COMMANDS.find((entry) => entry.name === name)!.load();
  const own = readWords(words, spec.options, `occupancy ${name}`);
  if (own.operands.length > 0) {
    throw new CliError(
      `occupancy ${name} does not know what to do with "${own.operands[0]}"`,
      { exitCode: Exit.usage, hint: `See occupancy ${name} --help.` },
    );
  }
  // --config may stand before the command too.
  const given = new Map(own.flags);
  if (file !== undefined && !given.has("config")) given.set("config", file);
  return await settingsOf(name, spec, given);
}

/** Fit to be shown: without passwords. */
function shown({ option, text }: Setting): string | undefined {
  return text === undefined ? undefined : option.mask?.(text) ?? text;
}

function ndjson(command: string, settings: readonly Setting[]): string {
  return settings.map((setting) => {
    const { option, source, where } = setting;
    const record = {
      command,
      option: option.name,
      value: shown(setting) ?? null,
      source,
      ...(where && { where }),
    };
    return JSON.stringify(record) + "\n";
  }).join("");
}

function table(
  command: string,
  settings: readonly Setting[],
  color: boolean,
  room: number,
): string {
  const rows = settings.map((setting) => [
    setting.option.name,
    shown(setting) ?? `(${setting.option.unset ?? "not set"})`,
    setting.where || "default",
  ]);
  const head = ["setting", "value", "from"];
  const widths = head.map((title, i) =>
    Math.max(title.length, ...rows.map((row) => row[i]!.length))
  );
  const line = (row: readonly string[]) =>
    row.map((text, i) => text.padEnd(widths[i]!)).join("  ").trimEnd();
  const dim = (text: string) => color ? `\x1b[2m${text}\x1b[0m` : text;
  const bold = (text: string) => color ? `\x1b[1m${text}\x1b[0m` : text;
  const set = (i: number) => settings[i]!.where !== "";
  const lines = rows.map((row, i) => set(i) ? bold(line(row)) : line(row));
  if (Math.max(...rows.map((row) => line(row).length)) > room) {
    const stacked = rows.flatMap(([name, value, from], i) => [
      set(i) ? bold(name!) : name!,
      `    ${value}`,
      ...(set(i) ? [dim(`    from ${from}`)] : []),
    ]);
    return [`occupancy ${command}`, ...stacked].join("\n") + "\n";
  }
  return [`occupancy ${command}`, dim(line(head)), ...lines].join("\n") + "\n";
}
