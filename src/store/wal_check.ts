/**
 * Finds committed changes in a write-ahead log that SQLite cannot read.
 *
 * SQLite reads a log up to the first frame with a wrong checksum. It ignores
 * what follows without an error, because a log may end in an incomplete write.
 * But a frame of the same salts behind that point was written later: then the
 * log is damaged, and the database is older than it was.
 *
 * The format: https://sqlite.org/fileformat2.html, 4.
 *
 * @module
 */

const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
/** The last bit is set if checksums are over big-endian words. */
const MAGIC = 0x377f_0682;
/** Approximate size of a read. */
const READ_BYTES = 1024 * 1024;

/** A checksum over 32-bit words, in two parts. */
type Checksum = readonly [number, number];

/** A frame in a buffer of several. */
interface Frame {
  readonly view: DataView;
  /** Where the frame begins in the view. */
  readonly at: number;
}

/**
 * Counts the transactions that were committed to a log and that SQLite cannot
 * read.
 *
 * @param path the log; need not exist
 * @returns 0 for an intact log, also if it ends in an incomplete write
 */
export function countLostTransactions(path: string): number {
  let file: Deno.FsFile;
  try {
    file = Deno.openSync(path);
  } catch {
    return 0; // no log, or one that SQLite cannot open either
  }
  try {
    return countIn(file, file.statSync().size);
  } finally {
    file.close();
  }
}

/**
 * Describes a damaged log.
 *
 * @param path the database file
 * @param lost the result of {@linkcode countLostTransactions}, above 0
 */
export function damagedLogWarning(path: string, lost: number): string {
  const what = lost === 1
    ? "the last transaction cannot be read"
    : `the last ${lost} transactions cannot be read`;
  return `${path}-wal is damaged: ${what}, so the map is older than when the server ended. Check the disk`;
}

function countIn(file: Deno.FsFile, bytes: number): number {
  if (bytes < HEADER_BYTES) return 0;
  const header = read(file, new Uint8Array(HEADER_BYTES));
  const littleEndian = (header.getUint32(0) & 1) === 0;
  const pageBytes = header.getUint32(8);
  if (!isPageSize(pageBytes)) return 1; // the frames cannot be found
  const count = Math.floor(
    (bytes - HEADER_BYTES) / (FRAME_HEADER_BYTES + pageBytes),
  );
  let salts: Checksum = [header.getUint32(16), header.getUint32(20)];
  let sum = checksum(header, 0, 24, [0, 0], littleEndian);
  let isReadable = (header.getUint32(0) & ~1) === MAGIC &&
    hasPair(header, 24, sum);
  const isHeaderReadable = isReadable;
  let index = 0;
  let firstUnreadable = 0;
  let isFirstCommit = false;
  let framesBehind = 0;
  let commitsBehind = 0;
  for (const { view, at } of readFrames(file, count, pageBytes)) {
    if (!isHeaderReadable && index === 0) {
      salts = [view.getUint32(at + 8), view.getUint32(at + 12)];
    }
    const isSameLog = hasPair(view, at + 8, salts);
    const isCommit = isSameLog && view.getUint32(at + 4) !== 0;
    if (isReadable) {
      const page = at + FRAME_HEADER_BYTES;
      sum = checksum(view, at, at + 8, sum, littleEndian);
      sum = checksum(view, page, page + pageBytes, sum, littleEndian);
      isReadable = isSameLog && hasPair(view, at + 16, sum);
      firstUnreadable = index;
      isFirstCommit = !isReadable && isCommit;
    } else {
      framesBehind += Number(isSameLog);
      commitsBehind += Number(isCommit);
    }
    index++;
  }
  if (isReadable) return 0;
  // SQLite writes a frame's header, then its page: a last frame whose page is
  // in the file was written completely, unless it replaced an older frame.
  const isComplete = framesBehind > 0 || firstUnreadable === count - 1;
  return commitsBehind + Number(isFirstCommit && isComplete);
}

function* readFrames(
  file: Deno.FsFile,
  count: number,
  pageBytes: number,
): Generator<Frame> {
  const frameBytes = FRAME_HEADER_BYTES + pageBytes;
  const framesPerRead = Math.ceil(READ_BYTES / frameBytes);
  const buffer = new Uint8Array(framesPerRead * frameBytes);
  for (let first = 0; first < count; first += framesPerRead) {
    const length = Math.min(framesPerRead, count - first) * frameBytes;
    const view = read(file, buffer.subarray(0, length));
    for (let at = 0; at < length; at += frameBytes) yield { view, at };
  }
}

/** Fills the buffer; what is behind the end of the file stays unchanged. */
function read(file: Deno.FsFile, buffer: Uint8Array): DataView {
  for (let length = 0; length < buffer.length;) {
    const n = file.readSync(buffer.subarray(length));
    if (n === null) break;
    length += n;
  }
  return new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
}

/** Adds the words from `start` to `end` to a checksum. */
function checksum(
  view: DataView,
  start: number,
  end: number,
  [s0, s1]: Checksum,
  littleEndian: boolean,
): Checksum {
  for (let at = start; at < end; at += 8) {
    s0 = (s0 + view.getUint32(at, littleEndian) + s1) | 0;
    s1 = (s1 + view.getUint32(at + 4, littleEndian) + s0) | 0;
  }
  return [s0 >>> 0, s1 >>> 0];
}

/** Two words are equal to a pair. They are big-endian in every log. */
function hasPair(view: DataView, at: number, [a, b]: Checksum): boolean {
  return view.getUint32(at) === a && view.getUint32(at + 4) === b;
}

/** A power of two from 512 to 65,536. */
function isPageSize(bytes: number): boolean {
  return bytes >= 512 && bytes <= 65_536 && (bytes & (bytes - 1)) === 0;
}
