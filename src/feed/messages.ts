/**
 * The text messages of the live feed: JSON objects with a `type`. Pure: runs in
 * server and page. docs/LIVE.md is the specification.
 *
 * @module
 */
import { assertLayer, type LayerDisplay } from "../protocol/mod.ts";
import {
  INT32_MAX,
  INT32_MIN,
  type Region,
  regionFrom,
  type RegionTuple,
} from "../protocol/region.ts";
import { isJsonObject } from "../protocol/text.ts";
import type { ZonesMessage } from "./zone_messages.ts";

/** The `protocol` of `hello`. Versions are not compatible with each other. */
export const FEED_PROTOCOL_VERSION = 2;
/** Maximum length of a message of a viewer, in UTF-16 code units. */
export const MAX_MESSAGE_LENGTH = 4096;

/** The part of the map that a viewer shows. */
export interface View {
  readonly layer: string;
  /** Null for the whole layer. */
  readonly region: Region | null;
}

/** Requests a view; replaces the previous one. */
export interface ViewMessage extends View {
  readonly type: "view";
}

/** Requests a `pong`, to measure the round-trip time. */
export interface PingMessage {
  readonly type: "ping";
  readonly id: number;
}

/**
 * Acknowledges binary messages and `zones`; without it the server stops sending
 * them.
 */
export interface GotMessage {
  readonly type: "got";
  /** Those messages handled since the connection began. */
  readonly frames: number;
}

/** A message of a viewer. */
export type ViewerMessage = ViewMessage | PingMessage | GotMessage;

/** How clients reach the broker, for the commands that the page shows. */
export interface ClientAccess {
  /** Such as `mqtt://127.0.0.1:1883`. Contains no login. */
  readonly broker: string;
  /** Whether the broker requires a login. */
  readonly needsLogin: boolean;
  /** The prefix of all topics. */
  readonly prefix: string;
  /** The file of `--ca` on the server's machine. */
  readonly ca?: string;
  /**
   * Where the address works: everywhere; also with the host of the page instead
   * of its own; or on the server's machine only.
   */
  readonly reach: "everywhere" | "page" | "machine";
}

/** The first message of the server. */
export interface HelloMessage {
  readonly type: "hello";
  /** The version of occupancy. */
  readonly version: string;
  /** {@linkcode FEED_PROTOCOL_VERSION}. */
  readonly protocol: number;
  /** A cell is stale after this time without a reading, in ms; null: never. */
  readonly staleAfter: number | null;
  /**
   * A cell is unknown after this time without a reading, in ms; null: never.
   */
  readonly forgetAfter: number | null;
  /** The name of the server. */
  readonly title: string;
  readonly clients: ClientAccess;
}

/** Incoming readings, per second. */
export interface LiveRates {
  readonly readings: number;
  readonly messages: number;
  /** Readings that changed a cell. */
  readonly changes: number;
  /** Bytes of the payloads. */
  readonly bytes: number;
}

/** The counts of the cells of a layer. */
export interface LayerStatus {
  readonly name: string;
  /** From the floor plan. */
  readonly title?: string;
  /** How to show the layer; absent for the defaults. */
  readonly display?: LayerDisplay;
  /** The smallest region with all cells; null if there are none. */
  readonly bounds: RegionTuple | null;
  /** The sum of the values of the occupied cells. */
  readonly people: number;
  readonly occupied: number;
  readonly free: number;
  /** Observed too long ago to count as free or occupied. */
  readonly stale: number;
  readonly unknown: number;
  /** Coordinates ever reported: the sum of the four counts. */
  readonly cells: number;
  /** Readings that changed a cell, per second. */
  readonly changes: number;
}

/** Sent every second, and immediately when broker or store fail or recover. */
export interface StatusMessage {
  readonly type: "status";
  readonly revision: number;
  /** The server's clock, ms since 1970. */
  readonly time: number;
  readonly broker: "up" | "down";
  /** When `broker` last changed, by the server's clock, ms since 1970. */
  readonly brokerSince: number;
  /** `ok`, or why the store fails: then cells shown as fresh may be stale. */
  readonly store: string;
  readonly rate: LiveRates;
  readonly layers: readonly LayerStatus[];
  /** The number of layers above the maximum, not listed. */
  readonly layersOmitted: number;
  /** The number of viewers, including this one. */
  readonly viewers: number;
}

/** An observed cell; `source` is null if unknown. */
export type LatestChange = readonly [
  x: number,
  y: number,
  value: number,
  time: number,
  source: string | null,
];

/**
 * The latest observations in the view, the latest first; replaces the previous
 * list.
 */
export interface LatestMessage {
  readonly type: "latest";
  readonly layer: string;
  readonly changes: readonly LatestChange[];
}

/** The counts of a layer at a time. */
export type HistoryPoint = readonly [
  time: number,
  people: number,
  occupied: number,
];

/** The history of a layer, the oldest point first; sent for each new layer. */
export interface HistoryMessage {
  readonly type: "history";
  readonly layer: string;
  readonly points: readonly HistoryPoint[];
}

/** Answers a ping. */
export interface PongMessage {
  readonly type: "pong";
  readonly id: number;
  /** The server's clock, ms since 1970. */
  readonly time: number;
}

/**
 * The last message before the server closes the connection. `gone`: the server
 * is not available (`stopping`, `too-many-viewers`), try again later. `error`:
 * the viewer made an error (`bad-message`, `too-fast`, `too-slow`).
 */
export interface CloseMessage {
  readonly type: "gone" | "error";
  /** In kebab case, for programs. */
  readonly code: string;
  /** What happened and what to do, for people. */
  readonly message: string;
}

/** A text message of the server. */
export type ServerMessage =
  | HelloMessage
  | StatusMessage
  | LatestMessage
  | HistoryMessage
  | ZonesMessage
  | PongMessage
  | CloseMessage;

/** A message of the live feed is not valid. */
export class MessageError extends Error {
  override readonly name = "MessageError";
}

type Json = Readonly<Record<string, unknown>>;

/**
 * Parses a message of a viewer.
 *
 * @throws {MessageError} if it is too long or not valid
 */
export function parseViewerMessage(text: string): ViewerMessage {
  if (text.length > MAX_MESSAGE_LENGTH) {
    throw new MessageError(
      `The message has ${text.length} characters, at most ${MAX_MESSAGE_LENGTH} are allowed`,
    );
  }
  const message = parseObject(text);
  switch (message.type) {
    case "view":
      return { type: "view", ...parseView(message) };
    case "ping":
      return { type: "ping", id: requireNumber(message, "id") };
    case "got":
      return { type: "got", frames: requireCount(message, "frames") };
    default:
      throw new MessageError(
        'Unknown message type: use "view", "ping" or "got"',
      );
  }
}

/**
 * Parses a message of the server. Checks only the members that the page uses.
 *
 * @returns undefined for an unknown type
 * @throws {MessageError} if it is not valid
 */
export function parseServerMessage(text: string): ServerMessage | undefined {
  const message = parseObject(text);
  const check = SERVER_MESSAGE_CHECKS.get(String(message.type));
  if (check === undefined) return undefined;
  check(message);
  return message as unknown as ServerMessage;
}

const SERVER_MESSAGE_CHECKS: ReadonlyMap<string, (message: Json) => void> =
  new Map(
    Object.entries({
      hello: (message) => {
        requireString(message, "version");
        requireString(message, "title");
        requireCount(message, "protocol");
        if (!isJsonObject(message.clients)) {
          throw invalidMember(message, "clients");
        }
        for (const name of ["staleAfter", "forgetAfter"]) {
          if (message[name] !== null) requireNumber(message, name);
        }
      },
      status: (message) => {
        for (const name of ["revision", "viewers"]) requireCount(message, name);
        requireNumber(message, "time");
        requireNumber(message, "brokerSince");
        requireString(message, "store");
        if (message.broker !== "up" && message.broker !== "down") {
          throw invalidMember(message, "broker");
        }
        if (!isJsonObject(message.rate)) throw invalidMember(message, "rate");
        requireArray(message, "layers");
      },
      latest: (message) => {
        requireString(message, "layer");
        requireArray(message, "changes");
      },
      history: (message) => {
        requireString(message, "layer");
        requireArray(message, "points");
      },
      zones: (message) => {
        requireString(message, "version");
        if (message.file !== null) requireString(message, "file");
        requireArray(message, "states");
        requireArray(message, "removed");
      },
      pong: (message) => {
        requireNumber(message, "id");
        requireNumber(message, "time");
      },
      gone: checkClose,
      error: checkClose,
    }),
  );

function checkClose(message: Json): void {
  requireString(message, "code");
  requireString(message, "message");
}

/** Rounds the bounds of a region outwards to int32. */
export function roundView({ layer, region }: View): View {
  if (region === null) return { layer, region };
  return {
    layer,
    region: {
      x0: clampInt32(Math.floor(region.x0)),
      y0: clampInt32(Math.floor(region.y0)),
      x1: clampInt32(Math.ceil(region.x1)),
      y1: clampInt32(Math.ceil(region.y1)),
    },
  };
}

function clampInt32(bound: number): number {
  return Math.min(Math.max(bound, INT32_MIN), INT32_MAX);
}

/**
 * Returns the message that requests a view, rounded by {@linkcode roundView}.
 */
export function viewMessage(view: View): string {
  const { layer, region } = roundView(view);
  const corners = region && [region.x0, region.y0, region.x1, region.y1];
  return JSON.stringify({ type: "view", layer, region: corners });
}

function parseView(message: Json): View {
  const layer = requireString(message, "layer");
  try {
    assertLayer(layer);
  } catch (error) {
    throw new MessageError(
      `Invalid layer of a view: ${(error as Error).message}`,
    );
  }
  return { layer, region: parseRegion(message.region) };
}

function parseRegion(value: unknown): Region | null {
  if (value === null || value === undefined) return null;
  const region = regionFrom(value);
  if (region !== undefined) return region;
  throw new MessageError(
    "Invalid region of a view: expected null or [x0,y0,x1,y1], int32",
  );
}

function parseObject(text: string): Json {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new MessageError("The message is not JSON");
  }
  if (isJsonObject(value)) return value;
  throw new MessageError("The message is not a JSON object");
}

function requireString(message: Json, name: string): string {
  const value = message[name];
  if (typeof value !== "string") throw invalidMember(message, name);
  return value;
}

function requireNumber(message: Json, name: string): number {
  const value = message[name];
  if (typeof value !== "number") throw invalidMember(message, name);
  return value;
}

function requireCount(message: Json, name: string): number {
  const value = requireNumber(message, name);
  if (!Number.isSafeInteger(value) || value < 0) {
    throw invalidMember(message, name);
  }
  return value;
}

function requireArray(message: Json, name: string): readonly unknown[] {
  const value = message[name];
  if (!Array.isArray(value)) throw invalidMember(message, name);
  return value;
}

function invalidMember(message: Json, name: string): MessageError {
  return new MessageError(`Invalid "${name}" in a "${message.type}" message`);
}
