/**
 * Reads the readings of the client's files, one file after the other.
 *
 * @module
 */
import { formatOf, readRows, type Rows } from "../../../client/mod.ts";
import { AppError } from "../../../common/errors.ts";
import { ProtocolError } from "../../../protocol/mod.ts";
import { hintForWord } from "../../arguments/hints.ts";
import { usageError } from "../../errors.ts";
import { fileError } from "../../files.ts";
import { printError } from "../../terminal/output.ts";
import { plural } from "../../../common/plural.ts";
import { BadRows, displayName } from "./bad_readings.ts";
import { CLIENT } from "./options.ts";
import { ReadProgress } from "./read_progress.ts";

/** Names of standard input. Deno cannot open the last three in every shell. */
const STDIN = ["-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"];
const DATA_FILE = /\.[a-z]+$/i;
const ROW_HINT = 'A row is x,y,value, or in JSON {"x":1,"y":2,"value":1}.';
/** By the code of the error. */
const FILE_HINTS: Record<string, string> = {
  "bad-form": ROW_HINT,
  "bad-json": "Check the JSON, or name the file .csv or .ndjson if it is one.",
  "bad-utf8": "Save the file as UTF-8.",
};

/** One file. */
interface Input {
  /** As written on the command line. */
  readonly file: string;
  readonly chunks: AsyncIterable<Uint8Array>;
  /** False for a pipe, whose lines are used as they arrive. */
  readonly isFile: boolean;
}

/** What was found in one file. */
interface FileResult {
  readonly name: string;
  readonly badRows: BadRows;
  readings: number;
}

/** Options of {@linkcode InputFiles}. */
export interface InputOptions {
  /** As written on the command line; at least one. */
  readonly files: readonly string[];
  /** True to end at the first bad row. */
  readonly strict: boolean;
  /** True to ignore the layers that the files name. */
  readonly ignoreLayers: boolean;
}

/** Reads files in order, and prints and counts their bad rows. */
export class InputFiles {
  /** How much has been read. */
  readonly progress: ReadProgress = new ReadProgress();
  readonly #options: InputOptions;
  readonly #rows: AsyncGenerator<Rows, void, void>;
  readonly #results: FileResult[] = [];

  /** @param options the files */
  constructor(options: InputOptions) {
    this.#options = options;
    this.#rows = this.#readAll();
  }

  /**
   * Returns the next rows with readings; undefined after the last ones.
   *
   * @throws {AppError} if a file cannot be read, no file has readings, or with
   * `strict` at the first bad row, when the readings before it were returned
   */
  async next(): Promise<Rows | undefined> {
    const { value } = await this.#rows.next();
    return value ?? undefined;
  }

  /** The file's name, or the number of files. */
  get name(): string {
    const { files } = this.#options;
    return files.length === 1
      ? displayName(files[0]!)
      : plural(files.length, "file");
  }

  /** Number of bad rows so far, and of files without readings. */
  get problems(): number {
    return this.#skipped + this.#empty.length;
  }

  /** Prints how many rows were bad, and the files without readings. */
  printSummary(): void {
    for (const { badRows } of this.#results) badRows.printSummary();
    for (const { name } of this.#empty) printError(`No readings in ${name}`);
  }

  get #empty(): FileResult[] {
    return this.#results.filter(({ readings, badRows }) =>
      readings === 0 && badRows.count === 0
    );
  }

  /** Number of bad rows so far. */
  get #skipped(): number {
    return this.#results.reduce((sum, { badRows }) => sum + badRows.count, 0);
  }

  get #hasReadings(): boolean {
    return this.#results.some(({ readings }) => readings > 0);
  }

  async *#readAll(): AsyncGenerator<Rows, void, void> {
    const { files } = this.#options;
    if (files.filter(isStdin).length > 1) {
      throw usageError(
        "Cannot read standard input twice",
        "Name it once among the files.",
      );
    }
    // A missing file is an error before the first one is sent.
    const inputs: Input[] = [];
    for (const file of files) {
      const bytes = await checkFile(file);
      const chunks = this.progress.count(openInput(file), bytes);
      inputs.push({ file, chunks, isFile: bytes !== undefined });
    }
    for (const input of inputs) yield* this.#readFile(input);
    if (!this.#hasReadings) throw this.#noReadings();
  }

  async *#readFile(
    { file, chunks, isFile }: Input,
  ): AsyncGenerator<Rows, void, void> {
    const { strict, ignoreLayers } = this.#options;
    const name = displayName(file);
    const badRows = new BadRows(name);
    const result: FileResult = { name, badRows, readings: 0 };
    this.#results.push(result);
    try {
      const rows = readRows(chunks, {
        format: formatOf(file),
        strict,
        ignoreLayers,
        isFile,
      });
      for await (const part of rows) {
        result.readings += part.readings.length;
        if (part.readings.length > 0) yield part;
        badRows.add(part, strict, this.#hasReadings);
      }
    } catch (error) {
      throw readError(file, error);
    }
  }

  #noReadings(): AppError {
    const { name } = this;
    const skipped = this.#skipped;
    return new AppError(
      "no-readings",
      skipped === 0
        ? `No readings in ${name}`
        : skipped === 1
        ? `The only row of ${name} is not a reading`
        : `None of the ${plural(skipped, "row")} of ${name} is a reading`,
      { hint: ROW_HINT },
    );
  }
}

function isStdin(file: string): boolean {
  return STDIN.includes(file);
}

/**
 * Returns the size of a file, in bytes; undefined if it is not known.
 *
 * @throws {AppError} if there is no such file, or it is a directory
 */
async function checkFile(file: string): Promise<number | undefined> {
  if (isStdin(file)) return undefined;
  try {
    const { isDirectory, isFile, size } = await Deno.stat(file);
    if (isDirectory) throw new Deno.errors.IsADirectory();
    return isFile ? size : undefined;
  } catch (error) {
    // A word that is not a file's name was probably meant for an option.
    const meant = DATA_FILE.test(file) ? "" : hintForWord(file, CLIENT.options);
    throw fileError(file, error, meant || undefined);
  }
}

/** Opens a file when it is read. */
async function* openInput(file: string): AsyncGenerator<Uint8Array> {
  yield* isStdin(file) ? Deno.stdin.readable : (await Deno.open(file)).readable;
}

function readError(file: string, error: unknown): Error {
  if (error instanceof ProtocolError) {
    return new AppError(
      error.code,
      `Cannot read ${displayName(file)}: ${error.message}`,
      { hint: error.hint ?? FILE_HINTS[error.code], cause: error },
    );
  }
  return error instanceof AppError ? error : fileError(file, error);
}
