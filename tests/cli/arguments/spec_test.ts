/**
 * The types of flags follow from the option tables. Checked by the compiler.
 */
import assert from "node:assert/strict";
import {
  defineCommand,
  type FlagsOf,
  keyOf,
  type OptionSpec,
  pickOptions,
  variableOf,
} from "../../../src/cli/arguments/spec.ts";
import { parseWait } from "../../../src/cli/arguments/number_values.ts";

const OPTIONS = [
  { name: "max-wait", value: "duration", summary: "", parse: parseWait },
  {
    name: "format",
    value: "form",
    summary: "",
    choices: ["tsv", "json"],
    default: "tsv",
  },
  { name: "file", value: "path", summary: "", required: true },
  { name: "dry-run", summary: "" },
  { name: "ask", summary: "", defaultOn: true },
  { name: "help", summary: "", flagOnly: true },
] as const satisfies readonly OptionSpec[];

type Flags = FlagsOf<typeof OPTIONS>;

/** True if the two types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends
  (<T>() => T extends B ? 1 : 2) ? true : false;

Deno.test({
  name: "FlagsOf infers names, types and presence from a table",
  permissions: "none",
  fn: () => {
    const types: [
      Same<Flags["maxWait"], number | undefined>,
      Same<Flags["format"], "tsv" | "json">,
      Same<Flags["file"], string>,
      Same<Flags["dryRun"], true | undefined>,
      Same<Flags["ask"], boolean>,
      Same<
        keyof Flags,
        "maxWait" | "format" | "file" | "dryRun" | "ask"
      >,
    ] = [true, true, true, true, true, true];
    assert.ok(types);
    // @ts-expect-error: --file is required
    const missing: Flags = { format: "tsv", ask: true };
    assert.ok(missing);
  },
});

Deno.test({
  name: "defineCommand() accepts only an action for the table's flags",
  permissions: "none",
  fn: async () => {
    const loadSpec = () =>
      Promise.resolve({ description: "", options: OPTIONS, examples: [] });
    const entry = defineCommand({
      name: "a",
      summary: "",
      loadSpec,
      loadAction: () =>
        Promise.resolve(({ maxWait = 1 }: { maxWait?: number }) =>
          Promise.resolve(maxWait)
        ),
    });
    const action = await entry.loadAction();
    assert.equal(await action({ maxWait: 7 }, [], []), 7);
    const wrong = ({ format }: { format: number }) => Promise.resolve(format);
    defineCommand({
      name: "b",
      summary: "",
      loadSpec,
      // @ts-expect-error: --format is not a number
      loadAction: () => Promise.resolve(wrong),
    });
  },
});

Deno.test({
  name: "pickOptions(), keyOf() and variableOf() use the option's name",
  permissions: "none",
  fn: () => {
    const [wait] = pickOptions(OPTIONS, ["max-wait"]);
    assert.equal(wait, OPTIONS[0]);
    assert.equal(keyOf(wait!), "maxWait");
    assert.equal(variableOf(wait!), "OCCUPANCY_MAX_WAIT");
  },
});
