/**
 * Writes the body of `GET /api/v1/cells` in pieces.
 *
 * @module
 */
import { joinBytes } from "../../common/bytes.ts";
import type { CellColumns } from "../../feed/columns.ts";
import { GzipWriter } from "../gzip.ts";
import {
  csvHeader,
  type TimeForm,
  writeCsvRows,
  writeJsonRows,
} from "./cell_rows.ts";

const encoder = new TextEncoder();
const COMMA = encoder.encode(",");

/** The form of the body. */
export interface CellsFormat {
  readonly format: "json" | "csv";
  readonly times: TimeForm;
  readonly layer: string;
  /** The members of the JSON object before the cells. */
  readonly head: Readonly<Record<string, unknown>>;
  /** True to compress the body. */
  readonly isGzip: boolean;
  /** Called with the number of bytes, before compression. */
  readonly onBytes: (bytes: number) => void;
}

/** Writes the body: begin, the cells in any number of pieces, end. */
export class CellsBody {
  readonly #format: CellsFormat;
  readonly #gzip: GzipWriter | undefined;
  #isFirst = true;

  constructor(format: CellsFormat) {
    this.#format = format;
    this.#gzip = format.isGzip ? new GzipWriter() : undefined;
  }

  /** Returns the bytes before the cells. */
  begin(): Uint8Array<ArrayBuffer> {
    const { format, layer, head } = this.#format;
    const text = format === "csv"
      ? csvHeader(layer)
      : `${JSON.stringify(head).slice(0, -1)},"cells":[`;
    return this.#pack(encoder.encode(text), this.#gzip?.begin());
  }

  /** Returns the bytes of the next cells. */
  add(cells: CellColumns): Uint8Array<ArrayBuffer> {
    const { format, layer, times } = this.#format;
    if (format === "csv") {
      return this.#pack(writeCsvRows(cells, layer, 0, cells.length, times));
    }
    const rows = writeJsonRows(cells, 0, cells.length, times);
    const first = this.#isFirst || cells.length === 0;
    this.#isFirst &&= cells.length === 0;
    return this.#pack(first ? rows : joinBytes([COMMA, rows]));
  }

  /** Returns the bytes after the cells. */
  end(): Uint8Array<ArrayBuffer> {
    const end = encoder.encode(this.#format.format === "csv" ? "" : "]}\n");
    this.#format.onBytes(end.length);
    if (this.#gzip === undefined) return end;
    return joinBytes([this.#gzip.add(end), this.#gzip.end()]);
  }

  #pack(
    bytes: Uint8Array<ArrayBuffer>,
    before?: Uint8Array<ArrayBuffer>,
  ): Uint8Array<ArrayBuffer> {
    this.#format.onBytes(bytes.length);
    const packed = this.#gzip?.add(bytes) ?? bytes;
    return before === undefined ? packed : joinBytes([before, packed]);
  }
}
