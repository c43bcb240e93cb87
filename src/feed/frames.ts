/**
 * Encodes and decodes the binary messages of the live feed (frames): snapshots
 * and deltas of cells.
 * Pure: runs in server and page. docs/LIVE.md is the specification.
 *
 * ```text
 * byte 0   version: 1
 * byte 1   bit 0: 0 snapshot, 1 delta; bit 1: the body is compressed (RFC 1951)
 * if compressed: uint  bytes of the uncompressed body
 * body     layer      string
 *          snapshot:  byte 1 and region (4 × int32), or byte 0 for the whole layer;
 *                     revision uint, time float64, part uint, parts uint
 *          delta:     from uint, to uint, time float64
 *          cells      see cell_codec.ts
 * ```
 *
 * @module
 */
import type { Region } from "../grid/mod.ts";
import { BinaryReader, BinaryWriter } from "./binary.ts";
import { readCells, writeCells } from "./cell_codec.ts";
import type { CellColumns } from "./columns.ts";

/** The first byte of every frame. */
export const FRAME_VERSION = 1;
/** Maximum bytes of an uncompressed body; a larger one is refused. */
export const MAX_FRAME_BODY_BYTES = 16 * 1024 * 1024;
/** A smaller body is not compressed: it would save too little. */
const MIN_COMPRESSED_BYTES = 256;
const DELTA_FLAG = 1;
const COMPRESSED_FLAG = 2;

/** A part of a snapshot. */
export interface SnapshotFrame {
  readonly kind: "snapshot";
  readonly layer: string;
  /** The requested region; null for the whole layer. */
  readonly region: Region | null;
  /**
   * The same in all parts. The cells may have later changes; the next delta has
   * these again.
   */
  readonly revision: number;
  /** The time at which the statuses are correct, ms since 1970. */
  readonly time: number;
  /**
   * From 1; part 1 starts a new snapshot, even if the previous one is
   * incomplete.
   */
  readonly part: number;
  /** The number of parts in the last part, 0 in all others. */
  readonly parts: number;
  readonly cells: CellColumns;
}

/** The changed cells of the view, each once. */
export interface DeltaFrame {
  readonly kind: "delta";
  readonly layer: string;
  /** The revision of the snapshot, or the `to` of the previous delta. */
  readonly from: number;
  readonly to: number;
  /** The time at which the statuses are correct, ms since 1970. */
  readonly time: number;
  readonly cells: CellColumns;
}

/** A binary message of the live feed. */
export type Frame = SnapshotFrame | DeltaFrame;

/** Compresses (RFC 1951), e.g. `deflateRawSync` of `node:zlib`. */
export type Deflate = (body: Uint8Array<ArrayBuffer>) => Uint8Array;

/**
 * Decompresses (RFC 1951); throws if the result does not have `length` bytes.
 */
export type Inflate = (
  deflated: Uint8Array<ArrayBuffer>,
  length: number,
) => Uint8Array | Promise<Uint8Array>;

/** The bytes are not a frame, or are a frame of another version. */
export class FrameError extends Error {
  override readonly name = "FrameError";
}

/** Shared by all calls: only one frame is written at a time. */
const buffer = new BinaryWriter();

/**
 * Encodes a frame.
 *
 * @param frame numbers in their ranges; `stale` must be 0 where the value is
 * below 0
 * @param deflate compresses the body if that saves bytes; undefined: never
 */
export function encodeFrame(
  frame: Frame,
  deflate?: Deflate,
): Uint8Array<ArrayBuffer> {
  buffer.clear();
  writeBody(buffer, frame);
  const body = buffer.peek();
  const kind = frame.kind === "delta" ? DELTA_FLAG : 0;
  if (deflate !== undefined && body.length >= MIN_COMPRESSED_BYTES) {
    const compressed = deflate(body);
    if (compressed.length < body.length) {
      const bytes = new BinaryWriter();
      bytes.byte(FRAME_VERSION);
      bytes.byte(kind | COMPRESSED_FLAG);
      bytes.uint(body.length);
      bytes.raw(compressed);
      return bytes.finish();
    }
  }
  const bytes = new Uint8Array(2 + body.length);
  bytes[0] = FRAME_VERSION;
  bytes[1] = kind;
  bytes.set(body, 2);
  return bytes;
}

/**
 * Decodes a frame; safe for bytes from any source.
 *
 * @param bytes the whole message
 * @param inflate decompresses the body; its errors become a FrameError
 * @throws {FrameError} if the bytes are not a frame of this version
 */
export async function decodeFrame(
  bytes: Uint8Array<ArrayBuffer>,
  inflate: Inflate,
): Promise<Frame> {
  const { isDelta, isCompressed, body, length } = readHeader(bytes);
  if (!isCompressed) return readBody(body, isDelta);
  let inflated: Uint8Array;
  try {
    inflated = await inflate(body, length);
  } catch (error) {
    throw new FrameError("Cannot read the frame: it does not decompress", {
      cause: error,
    });
  }
  return readBody(inflated, isDelta);
}

/**
 * Reads the header; `length` is the uncompressed length of a compressed body.
 */
function readHeader(bytes: Uint8Array<ArrayBuffer>) {
  if (bytes[0] !== FRAME_VERSION) {
    throw new FrameError(
      bytes.length === 0
        ? "Cannot read the frame: it is empty"
        : `Cannot read the frame: it has version ${
          bytes[0]
        }, expected ${FRAME_VERSION}`,
    );
  }
  const flags = bytes[1] ?? Infinity;
  if (flags > (DELTA_FLAG | COMPRESSED_FLAG)) {
    throw new FrameError("Cannot read the frame: its kind is unknown");
  }
  const isDelta = (flags & DELTA_FLAG) !== 0;
  if ((flags & COMPRESSED_FLAG) === 0) {
    return { isDelta, isCompressed: false, body: bytes.subarray(2), length: 0 };
  }
  return toFrameError(() => {
    const reader = new BinaryReader(bytes.subarray(2));
    const length = reader.uint();
    if (length > MAX_FRAME_BODY_BYTES) {
      throw new RangeError(`its length of ${length} bytes is too large`);
    }
    const body = bytes.subarray(bytes.length - reader.left);
    return { isDelta, isCompressed: true, body, length };
  });
}

function writeBody(to: BinaryWriter, frame: Frame): void {
  to.string(frame.layer);
  if (frame.kind === "delta") {
    to.uint(frame.from);
    to.uint(frame.to);
    to.float64(frame.time);
  } else {
    const { region } = frame;
    to.byte(region === null ? 0 : 1);
    if (region !== null) {
      to.int32(region.x0);
      to.int32(region.y0);
      to.int32(region.x1);
      to.int32(region.y1);
    }
    to.uint(frame.revision);
    to.float64(frame.time);
    to.uint(frame.part);
    to.uint(frame.parts);
  }
  writeCells(to, frame.cells);
}

function readBody(body: Uint8Array, isDelta: boolean): Frame {
  return toFrameError(() => {
    const from = new BinaryReader(body);
    const frame = isDelta ? readDelta(from) : readSnapshot(from);
    if (from.left > 0) {
      throw new RangeError(`${from.left} bytes follow its end`);
    }
    return frame;
  });
}

function readDelta(from: BinaryReader): DeltaFrame {
  return {
    kind: "delta",
    layer: from.string(),
    from: from.uint(),
    to: from.uint(),
    time: from.float64(),
    cells: readCells(from),
  };
}

function readSnapshot(from: BinaryReader): SnapshotFrame {
  return {
    kind: "snapshot",
    layer: from.string(),
    region: readRegion(from),
    revision: from.uint(),
    time: from.float64(),
    part: from.uint(),
    parts: from.uint(),
    cells: readCells(from),
  };
}

function readRegion(from: BinaryReader): Region | null {
  const hasRegion = from.byte();
  if (hasRegion === 0) return null;
  if (hasRegion !== 1) throw new RangeError("its region is not valid");
  return {
    x0: from.int32(),
    y0: from.int32(),
    x1: from.int32(),
    y1: from.int32(),
  };
}

/** Converts a RangeError of the reader to a FrameError. */
function toFrameError<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new FrameError(`Cannot read the frame: ${error.message}`);
  }
}
