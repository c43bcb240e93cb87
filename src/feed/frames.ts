/**
 * The binary messages of the live feed: cells. Pure: runs in the server and in
 * the page. docs/LIVE.md is the specification.
 *
 * ```text
 * byte 0   version: 1
 * byte 1   bit 0: 0 snapshot, 1 delta; bit 1: the body is deflated (RFC 1951)
 * if deflated: uint  bytes of the body before it was deflated
 * body     layer      text
 *          snapshot:  byte 1 and region (4 × int32), or byte 0 for the whole layer;
 *                     revision uint, time float64, part uint, parts uint
 *          delta:     from uint, to uint, time float64
 *          cells      see cell_codec.ts
 * ```
 *
 * @module
 */
import type { Region } from "../grid/mod.ts";
import { ByteReader, ByteWriter } from "./bytes.ts";
import { readCells, writeCells } from "./cell_codec.ts";
import type { CellColumns } from "./columns.ts";

export {
  type CellColumns,
  isStale,
  newColumns,
  STALE,
  Status,
  statusOf,
} from "./columns.ts";

/** The first byte of every frame. */
export const FRAME_VERSION = 1;
/** Bytes of a body, not deflated; a frame that says more is refused. */
export const MAX_BODY_BYTES = 16 * 1024 * 1024;
/** A smaller body is not deflated: it would cost more than it saves. */
const LEAST_DEFLATED = 256;
const DELTA = 1;
const DEFLATED = 2;

/** A part of a layer, or of all in a region, to start from. */
export interface SnapshotFrame {
  readonly kind: "snapshot";
  readonly layer: string;
  /** What was asked for; null for the whole layer. */
  readonly region: Region | null;
  /** The same in all parts. What changed after it may be in here, and comes again. */
  readonly revision: number;
  /** The server's clock: statuses are right at this time, ms since 1970. */
  readonly time: number;
  /** From 1 on; part 1 begins a new snapshot, also if the last was not complete. */
  readonly part: number;
  /** How many parts there are, told by the last of them; 0 before. */
  readonly parts: number;
  readonly cells: CellColumns;
}

/** What changed in the view, each cell once. */
export interface DeltaFrame {
  readonly kind: "delta";
  readonly layer: string;
  /** The revision of the snapshot or the `to` of the delta before it. */
  readonly from: number;
  readonly to: number;
  /** The server's clock: statuses are right at this time, ms since 1970. */
  readonly time: number;
  readonly cells: CellColumns;
}

/** A binary message of the live feed. */
export type Frame = SnapshotFrame | DeltaFrame;

/** Deflates (RFC 1951), e.g. `deflateRawSync` of `node:zlib`. */
export type Deflate = (body: Uint8Array<ArrayBuffer>) => Uint8Array;

/**
 * Inflates (RFC 1951), and fails if that gives anything but `length` bytes.
 */
export type Inflate = (
  deflated: Uint8Array<ArrayBuffer>,
  length: number,
) => Uint8Array | Promise<Uint8Array>;

/** Bytes that are not a frame, or not one that this version reads. */
export class FrameError extends Error {
  override readonly name = "FrameError";
}

/** Shared: writing a frame is over before the next begins. */
const scratch = new ByteWriter();

/**
 * Writes a frame.
 *
 * @param frame each status of its cells as `statusOf` says; numbers in their ranges
 * @param deflate without it, nothing is deflated; also not if that saves nothing
 */
export function encodeFrame(
  frame: Frame,
  deflate?: Deflate,
): Uint8Array<ArrayBuffer> {
  scratch.clear();
  writeBody(scratch, frame);
  const body = scratch.peek();
  const kind = frame.kind === "delta" ? DELTA : 0;
  if (deflate !== undefined && body.length >= LEAST_DEFLATED) {
    const deflated = deflate(body);
    if (deflated.length < body.length) {
      const head = new ByteWriter();
      head.byte(FRAME_VERSION);
      head.byte(kind | DEFLATED);
      head.uint(body.length);
      head.raw(deflated);
      return head.finish();
    }
  }
  const plain = new Uint8Array(2 + body.length);
  plain[0] = FRAME_VERSION;
  plain[1] = kind;
  plain.set(body, 2);
  return plain;
}

/**
 * Reads a frame, from anyone.
 *
 * @param bytes the whole message
 * @param inflate is given a deflated body; its errors are told as a FrameError
 * @throws {FrameError} if it is not a frame
 */
export async function decodeFrame(
  bytes: Uint8Array<ArrayBuffer>,
  inflate: Inflate,
): Promise<Frame> {
  const { delta, deflated, body, length } = openFrame(bytes);
  if (!deflated) return readBody(body, delta);
  let inflated: Uint8Array;
  try {
    inflated = await inflate(body, length);
  } catch (error) {
    throw new FrameError("Cannot read the frame: it does not inflate", {
      cause: error,
    });
  }
  return readBody(inflated, delta);
}

/** What is in front of the body. */
function openFrame(bytes: Uint8Array<ArrayBuffer>) {
  if (bytes[0] !== FRAME_VERSION) {
    throw new FrameError(
      bytes.length === 0
        ? "Cannot read the frame: it is empty"
        : `Cannot read the frame: it has version ${
          bytes[0]
        }, this program reads ${FRAME_VERSION}`,
    );
  }
  const flags = bytes[1] ?? Infinity;
  if (flags > (DELTA | DEFLATED)) {
    throw new FrameError("Cannot read the frame: it is of no known kind");
  }
  const delta = (flags & DELTA) !== 0;
  if ((flags & DEFLATED) === 0) {
    return { delta, deflated: false, body: bytes.subarray(2), length: 0 };
  }
  return guarded(() => {
    const reader = new ByteReader(bytes.subarray(2));
    const length = reader.uint();
    if (length > MAX_BODY_BYTES) {
      throw new RangeError(`it says that it has ${length} bytes`);
    }
    const body = bytes.subarray(bytes.length - reader.left);
    return { delta, deflated: true, body, length };
  });
}

function writeBody(to: ByteWriter, frame: Frame): void {
  to.text(frame.layer);
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

function readBody(body: Uint8Array, delta: boolean): Frame {
  return guarded(() => {
    const from = new ByteReader(body);
    const frame = delta ? readDelta(from) : readSnapshot(from);
    if (from.left > 0) {
      throw new RangeError(`${from.left} bytes follow it`);
    }
    return frame;
  });
}

function readDelta(from: ByteReader): DeltaFrame {
  return {
    kind: "delta",
    layer: from.text(),
    from: from.uint(),
    to: from.uint(),
    time: from.float64(),
    cells: readCells(from),
  };
}

function readSnapshot(from: ByteReader): SnapshotFrame {
  return {
    kind: "snapshot",
    layer: from.text(),
    region: readRegion(from),
    revision: from.uint(),
    time: from.float64(),
    part: from.uint(),
    parts: from.uint(),
    cells: readCells(from),
  };
}

function readRegion(from: ByteReader): Region | null {
  const there = from.byte();
  if (there === 0) return null;
  if (there !== 1) throw new RangeError("it has a region of no known kind");
  return {
    x0: from.int32(),
    y0: from.int32(),
    x1: from.int32(),
    y1: from.int32(),
  };
}

/** What is wrong with bytes, as a FrameError. */
function guarded<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new FrameError(`Cannot read the frame: ${error.message}`);
  }
}
