/** Reads the zones of `occupancy server --zones FILE`. */
import { AppError } from "../../../common/errors.ts";
import { deadline, delay } from "../../../common/async.ts";
import { plural } from "../../../common/plural.ts";
import {
  DEFAULT_ZONE_LIMITS,
  readZones,
  type Zone,
  ZoneError,
} from "../../../zones/mod.ts";
import { usageError } from "../../errors.ts";
import { fileError } from "../../files.ts";

/** What distinguishes a content of a file from others. */
export interface ContentId {
  /** From {@linkcode fileVersion}. */
  readonly version: string;
  /** Differs between different contents. */
  readonly digest: string;
  /**
   * True if it was written so shortly before that a later change may have the
   * same version: file systems count time in steps of some milliseconds.
   */
  readonly isNew: boolean;
}

/** The content of a file that did not change while it was read. */
export interface FileContent extends ContentId {
  readonly bytes: Uint8Array;
}

/** Zones of a file. */
export interface ZonesContent {
  /** The path. */
  readonly file: string;
  readonly zones: readonly Zone[];
  readonly content: ContentId;
}

/** An open FIFO or a network file system may not answer. */
const READ_TIMEOUT_MS = 10_000;
/** How long a file may change before it is an error. */
const CHANGING_TIMEOUT_MS = 5000;
const CHANGING_PAUSE_MS = 100;
/** The coarsest step of a file system: FAT. */
const NEW_MS = 2000;
const MIB = 1024 * 1024;

/**
 * Reads the zones of a file, all or none.
 *
 * @throws {AppError} if the file cannot be read, keeps changing, or is not
 * valid; then the error names the feature and the place
 */
export async function readZonesFile(path: string): Promise<ZonesContent> {
  const { bytes, ...content } = await readWhole(path);
  return { file: path, content, zones: await zonesOf(path, bytes) };
}

/**
 * Reads a file; again while it changes.
 *
 * @throws {AppError} if it cannot be read, or keeps changing
 */
export async function readWhole(path: string): Promise<FileContent> {
  const end = performance.now() + CHANGING_TIMEOUT_MS;
  for (;;) {
    const content = await readContent(path);
    if (content !== undefined) return content;
    if (performance.now() > end) throw changingError(path);
    await delay(CHANGING_PAUSE_MS);
  }
}

/** The error of a file that does not stay as it is. */
export function changingError(path: string): AppError {
  return new AppError(
    "unreadable-file",
    `Cannot read ${path}: it changes again and again`,
    { hint: "Write the zones to another file, then rename that file." },
  );
}

/**
 * Reads zones from the content of a file.
 *
 * @throws {AppError} (usage) if they are not valid
 */
export async function zonesOf(
  path: string,
  bytes: Uint8Array,
): Promise<readonly Zone[]> {
  try {
    return await readZones(bytes);
  } catch (error) {
    if (!(error instanceof ZoneError)) throw error;
    throw usageError(`${path}: ${error.message}`, error.hint, error);
  }
}

/**
 * Reads a file.
 *
 * @param path links are followed
 * @returns undefined if it changes while it is read
 * @throws {AppError} if it cannot be read, is not a file, or is too large
 */
export async function readContent(
  path: string,
): Promise<FileContent | undefined> {
  return await deadline(
    readUnlessChanging(path),
    READ_TIMEOUT_MS,
    () =>
      new AppError(
        "unreadable-file",
        `Cannot read ${path}: no data within ${READ_TIMEOUT_MS / 1000} s`,
        { hint: "Check the file system and its network." },
      ),
  );
}

/**
 * Returns a text that differs when a file was replaced or written to, except
 * for changes within some milliseconds.
 *
 * @throws {AppError} if there is no such file, or it is not a file
 */
export async function fileVersion(path: string): Promise<string> {
  return versionOf(await statFile(path));
}

async function readUnlessChanging(
  path: string,
): Promise<FileContent | undefined> {
  const before = await statFile(path);
  const bytes = new Uint8Array(before.size + 1);
  let length = 0;
  try {
    using file = await Deno.open(path);
    while (length < bytes.length) {
      const count = await file.read(bytes.subarray(length));
      if (count === null) break;
      length += count;
    }
  } catch (error) {
    throw fileError(path, error);
  }
  const version = versionOf(before);
  if (length !== before.size || await fileVersion(path) !== version) {
    return undefined;
  }
  const content = bytes.subarray(0, length);
  const digest = new Uint8Array(
    await crypto.subtle.digest("SHA-256", content),
  ).toHex();
  const age = Date.now() - (before.mtime?.getTime() ?? 0);
  const isNew = Math.abs(age) < NEW_MS;
  return { version, bytes: content, digest, isNew };
}

async function statFile(path: string): Promise<Deno.FileInfo> {
  let info: Deno.FileInfo;
  try {
    info = await Deno.stat(path);
  } catch (error) {
    throw fileError(path, error);
  }
  // Opening a FIFO waits until a program writes to it.
  if (!info.isFile) {
    throw new AppError(
      "unreadable-file",
      `Cannot read ${path}: it is a ${
        info.isDirectory ? "directory" : "pipe or a device, not a file"
      }`,
      { hint: "Name a file with a FeatureCollection of GeoJSON." },
    );
  }
  const max = DEFAULT_ZONE_LIMITS.bytes;
  if (info.size > max) {
    throw usageError(
      `${path} has ${plural(info.size, "byte")}, the maximum is ${max} (${
        max / MIB
      } MiB)`,
      "Draw the zones with fewer corners, or remove some.",
    );
  }
  return info;
}

function versionOf({ dev, ino, size, mtime, ctime }: Deno.FileInfo): string {
  return [dev, ino, size, mtime?.getTime(), ctime?.getTime()].join();
}
