/** A failure of a tool, in words for people, with the exit code it ends in. */
export class ToolError extends Error {
  override readonly name = "ToolError";
  /** What to do next. */
  readonly hint: string | undefined;
  readonly exitCode: number;

  constructor(
    message: string,
    { hint, exitCode = 1 }: { hint?: string; exitCode?: number } = {},
  ) {
    super(message);
    this.hint = hint;
    this.exitCode = exitCode;
  }
}

/**
 * Runs a tool's main part; a {@linkcode ToolError} is told on stderr with its
 * hint and ends the process in its exit code.
 */
export async function runTool(main: () => Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    console.error(error.message);
    if (error.hint !== undefined) console.error(`  hint: ${error.hint}`);
    Deno.exit(error.exitCode);
  }
}
