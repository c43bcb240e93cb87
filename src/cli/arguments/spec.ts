/**
 * The types of the option tables. The tables define parsing, help, completions,
 * the manual page, docs/CLI.md, environment variables, the configuration file,
 * and the types of a command's flags.
 *
 * @module
 */

/** One option of a command. */
export interface OptionSpec {
  /** The long name without its dashes, such as `stale-after`. */
  readonly name: string;
  /** One letter. */
  readonly short?: string;
  /**
   * The value's name in help, such as `duration`. Without one it is a switch.
   */
  readonly value?: string;
  /**
   * The value if none is given. One that is given follows `=`: as a setting, it
   * is the value itself, or `true` or `false`.
   */
  readonly implied?: string;
  /** What the option does: starts in lower case, ends without a full stop. */
  readonly summary: string;
  /** All allowed values. */
  readonly choices?: readonly string[];
  /** Parses the value. Throws a `RangeError` whose message is the hint. */
  readonly parse?: (text: string) => unknown;
  /** The default, as a user would write it. */
  readonly default?: string;
  /** A description of the default if `default` is absent. */
  readonly unset?: string;
  /**
   * A switch that is on by default: help shows `--no-NAME`, which turns it off.
   */
  readonly defaultOn?: true;
  /** Hides secrets in the value before it is printed. */
  readonly mask?: (text: string) => string;
  /** The value is a file's name (for completions). */
  readonly file?: true;
  readonly required?: true;
  /** May be given several times: its value is an array. */
  readonly multiple?: true;
  /**
   * With `multiple`: its variable may have several values, with spaces between
   * them; no value contains one.
   */
  readonly words?: true;
  /** Options that it conflicts with. The one from the stronger source wins. */
  readonly conflictsWith?: readonly string[];
  /** The hint of the error if both come from the same source. */
  readonly conflictHint?: string;
  /** The heading in help. Default `Options`. */
  readonly group?: string;
  /**
   * Accepted on the command line only, not as a setting: it says what to do
   * this time. It cannot have a default.
   */
  readonly flagOnly?: true;
  /**
   * Accepted as a variable and in the configuration file only: all users of the
   * machine can see a command line.
   */
  readonly settingOnly?: true;
}

/** The argument of a command that is not an option. */
export interface OperandSpec {
  readonly name: string;
  readonly summary: string;
  /** All allowed words. */
  readonly choices?: readonly string[];
  readonly required: boolean;
  /** The words after it, any number. */
  readonly more?: {
    readonly name: string;
    readonly summary: string;
    /** They may be the names of files (for completions). */
    readonly file?: true;
  };
  /** The option with `multiple` that the words are added to, such as `file`. */
  readonly option?: string;
  /** All words after it are operands too, options included. */
  readonly rest?: true;
}

/** A command with its operand, options and help texts. */
export interface CommandSpec {
  /** One or a few sentences. */
  readonly description: string;
  readonly operand?: OperandSpec;
  readonly options: readonly OptionSpec[];
  /** Command lines that work, without the program's name. */
  readonly examples: readonly string[];
}

/**
 * The function that runs a command.
 *
 * @param flags values by the options' names in camel case
 * @param operands the words that are not options
 * @param commands the table of all commands
 * @returns the exit code
 */
export type Action<Flags> = (
  flags: Flags,
  operands: readonly string[],
  commands: readonly CommandEntry[],
) => Promise<number>;

/**
 * An entry of the table of commands. The rest of a command is loaded when
 * needed.
 */
export interface CommandEntry {
  readonly name: string;
  /** Half a line, for the list of commands. */
  readonly summary: string;
  /** True if the command runs other programs, such as a pager. */
  readonly runsPrograms?: true;
  /** True if the command writes files. */
  readonly writesFiles?: true;
  /** True if the command reads the size of the memory. */
  readonly limitsMemory?: true;
  /** True if the command connects to nothing and listens on nothing. */
  readonly isOffline?: true;
  /** Loads the option table. */
  readonly loadSpec: () => Promise<CommandSpec>;
  /** Loads the function that runs the command. */
  readonly loadAction: () => Promise<Action<Record<string, unknown>>>;
}

/** `stale-after` as `staleAfter`. */
type CamelCase<Name extends string> = Name extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : Name;

type ValueOf<Option extends OptionSpec> = Option extends
  { readonly multiple: true } ? readonly OneValueOf<Option>[]
  : OneValueOf<Option>;

type OneValueOf<Option extends OptionSpec> = Option extends
  { readonly parse: (text: string) => infer Value } ? Value
  : Option extends { readonly choices: readonly (infer Choice)[] } ? Choice
  : Option extends { readonly value: string } ? string
  : Option extends { readonly defaultOn: true } ? boolean
  : true;

/** Options that always have a value. */
type Always =
  | { readonly default: string }
  | { readonly required: true }
  | { readonly defaultOn: true };

/** All but `--help`, which runs no command. */
type Setting<Options extends readonly OptionSpec[]> = Exclude<
  Options[number],
  { readonly name: "help" }
>;

/**
 * The values of a table of options, by name in camel case. The value's type is
 * that of `parse`, a union of the `choices`, or `string`; a switch is `true` or
 * absent. The table has to be declared `as const`.
 */
export type FlagsOf<Options extends readonly OptionSpec[]> =
  & {
    readonly [
      Option in Extract<Setting<Options>, Always> as CamelCase<Option["name"]>
    ]: ValueOf<Option>;
  }
  & {
    readonly [
      Option in Exclude<Setting<Options>, Always> as CamelCase<Option["name"]>
    ]?: ValueOf<Option>;
  };

/**
 * Creates an entry of the table of commands. The compiler checks that the
 * action accepts the flags of the option table.
 */
export function defineCommand<const Spec extends CommandSpec>(
  { loadAction, ...rest }: {
    readonly name: string;
    readonly summary: string;
    readonly runsPrograms?: true;
    readonly writesFiles?: true;
    readonly limitsMemory?: true;
    readonly isOffline?: true;
    readonly loadSpec: () => Promise<Spec>;
    readonly loadAction: () => Promise<Action<FlagsOf<Spec["options"]>>>;
  },
): CommandEntry {
  return {
    ...rest,
    loadAction: async () => {
      const action = await loadAction();
      // Safe: flagsOf() in settings.ts builds the flags from the same table.
      return (flags, operands, commands) =>
        action(flags as FlagsOf<Spec["options"]>, operands, commands);
    },
  };
}

/**
 * Returns the named options of a table.
 *
 * @param options the table
 * @param names which options, in the order of the result
 */
export function pickOptions<
  const Options extends readonly OptionSpec[],
  const Name extends Options[number]["name"],
>(
  options: Options,
  names: readonly Name[],
): Extract<Options[number], { readonly name: Name }>[] {
  return names.map((name) =>
    options.find((option) => option.name === name) as Extract<
      Options[number],
      { readonly name: Name }
    >
  );
}

/** A command with its option table. */
export interface LoadedCommand {
  readonly name: string;
  readonly summary: string;
  readonly spec: CommandSpec;
}

/** Loads all option tables, in the order of help. */
export async function loadSpecs(
  commands: readonly CommandEntry[],
): Promise<LoadedCommand[]> {
  return await Promise.all(
    commands.map(async ({ name, summary, loadSpec }) => ({
      name,
      summary,
      spec: await loadSpec(),
    })),
  );
}

/** As on the command line: `--stale-after`. */
export function flagOf({ name }: OptionSpec): string {
  return `--${name}`;
}

/** Returns true if the value of an option may be the next word. */
export function takesNextWord({ value, implied }: OptionSpec): boolean {
  return value !== undefined && implied === undefined;
}

/** The options that the command line accepts. */
export function flagsAmong(options: readonly OptionSpec[]): OptionSpec[] {
  return options.filter(({ settingOnly }) => !settingOnly);
}

/** As an environment variable: `OCCUPANCY_STALE_AFTER`. */
export function variableOf({ name }: OptionSpec): string {
  return `OCCUPANCY_${name.replaceAll("-", "_").toUpperCase()}`;
}

/** As in code: `staleAfter`. */
export function keyOf({ name }: OptionSpec): string {
  return name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}
