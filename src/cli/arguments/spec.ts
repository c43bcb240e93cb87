/**
 * The form of the option tables. Parsing, help, completions, the man page, the
 * environment and the configuration file are all made from these.
 *
 * @module
 */

/** One option of a command. */
export interface OptionSpec {
  /** The long name without its dashes, such as `stale-after`. */
  readonly name: string;
  /** One letter. */
  readonly short?: string;
  /** What its value is called in help, such as `duration`; without one it is a switch. */
  readonly value?: string;
  /** What it does, for people: starts small, ends without a full stop. */
  readonly summary: string;
  /** All values that there are. */
  readonly choices?: readonly string[];
  /** Reads the value. It throws a `RangeError` that says what to write instead. */
  readonly parse?: (text: string) => unknown;
  /** What holds unless it is given, as one would write it. */
  readonly default?: string;
  /** What holds unless it is given, in words, where no value says it. */
  readonly unset?: string;
  /** A switch that is on: help shows `--no-NAME`, which turns it off. */
  readonly defaultOn?: true;
  /** Makes a value fit to be shown, if it can hold a secret. */
  readonly mask?: (text: string) => string;
  /** True if the value is a file's name, for completions. */
  readonly file?: true;
  /** The command does nothing without it. */
  readonly required?: true;
  /** Options that it takes the place of; of two, the one from the stronger source counts. */
  readonly conflictsWith?: readonly string[];
  /** Why not both, and what to do, if both come from the same source. */
  readonly conflictHint?: string;
  /** The heading in help that it stands under. Default `Options`. */
  readonly group?: string;
  /** It is no setting: it can be given as a flag only. */
  readonly flagOnly?: true;
}

/** What a command is and takes, and how it is done. */
export interface CommandSpec {
  /** Its words between the name and the options, such as `<shell>`. */
  readonly operand?: OperandSpec;
  /** In a sentence or a few. */
  readonly description: string;
  readonly options: readonly OptionSpec[];
  /** Command lines that work, without the program's name. */
  readonly examples: readonly string[];
  /** Loads what does the work. Only called when the command is chosen. */
  readonly load: () => Promise<Action>;
}

/** The word that a command takes besides its options. */
export interface OperandSpec {
  readonly name: string;
  readonly summary: string;
  readonly choices: readonly string[];
  readonly required: boolean;
  /** The words behind it are not looked at here: they belong to it. */
  readonly rest?: true;
}

/** A command's name and summary; the rest is loaded when it is asked for. */
export interface CommandEntry {
  readonly name: string;
  /** Half a line, for the list of commands. */
  readonly summary: string;
  readonly load: () => Promise<CommandSpec>;
}

/**
 * A command's work: it is given its options by name (in camel case) and returns
 * an exit code. `operands` are the words that are no options.
 */
// deno-lint-ignore no-explicit-any -- the table's options make up the type; flags.ts says which
export type Action = (flags: any, operands: string[]) => Promise<number>;

/** As it is written: `--stale-after`. */
export function flagOf({ name }: OptionSpec): string {
  return `--${name}`;
}

/** The variable of the environment: `OCCUPANCY_STALE_AFTER`. */
export function variableOf({ name }: OptionSpec): string {
  return `OCCUPANCY_${name.replaceAll("-", "_").toUpperCase()}`;
}

/** The name in code: `staleAfter`. */
export function keyOf({ name }: OptionSpec): string {
  return name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}
