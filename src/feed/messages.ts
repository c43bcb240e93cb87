/**
 * The text messages of the live feed: JSON objects with a `type`. Pure: runs in
 * the server and in the page. docs/LIVE.md is the specification.
 *
 * @module
 */
import type { Region } from "../grid/mod.ts";
import { assertLayer } from "../protocol/mod.ts";

/** Told in `hello`: rises when a viewer must be changed to understand it. */
export const LIVE_PROTOCOL = 1;
/** The longest message that a viewer may send, in UTF-16 units. */
export const MAX_MESSAGE_LENGTH = 4096;

/** What is looked at. */
export interface View {
  readonly layer: string;
  /** Null for the whole layer. */
  readonly region: Region | null;
}

/** Asks for a snapshot and what changes then; replaces the view before it. */
export interface ViewMessage extends View {
  readonly type: "view";
}

/** The corners of a rectangle of cells, both in it. */
export type Corners = readonly [x0: number, y0: number, x1: number, y1: number];

/** Asks for a `pong`, to measure how long it takes. */
export interface PingMessage {
  readonly type: "ping";
  readonly id: number;
}

/**
 * Says how many binary messages the viewer has dealt with since the connection
 * began: without it the server stops to send.
 */
export interface GotMessage {
  readonly type: "got";
  readonly frames: number;
}

/** What a viewer sends. */
export type ViewerMessage = ViewMessage | PingMessage | GotMessage;

/** The first message. */
export interface HelloMessage {
  readonly type: "hello";
  /** Of occupancy. */
  readonly version: string;
  /** {@linkcode LIVE_PROTOCOL}. */
  readonly protocol: number;
  /** A cell that was observed longer ago is stale, ms; null for never. */
  readonly staleAfter: number | null;
  /** A cell that was observed longer ago is unknown, ms; null for never. */
  readonly forgetAfter: number | null;
  /** The name of the server. */
  readonly title: string;
}

/** What comes in, a second. */
export interface LiveRates {
  readonly readings: number;
  readonly messages: number;
  /** Readings that changed a cell. */
  readonly changes: number;
  /** Of the payloads. */
  readonly bytes: number;
}

/** What the cells of a layer say. */
export interface LayerStatus {
  readonly name: string;
  /** What people call it, if that is known. */
  readonly title?: string;
  /** The least region that has all cells; null if there are none. */
  readonly bounds: Corners | null;
  /** The sum of the values of the occupied cells. */
  readonly people: number;
  readonly occupied: number;
  readonly free: number;
  /** Neither free nor occupied: observed too long ago. */
  readonly stale: number;
  readonly unknown: number;
  /** Coordinates ever reported: the sum of the four. */
  readonly cells: number;
}

/** How things stand: once a second, and at once when broker or store change. */
export interface StatusMessage {
  readonly type: "status";
  readonly revision: number;
  /** The server's clock, ms since 1970. */
  readonly time: number;
  readonly broker: "up" | "down";
  /** `ok`, or for people why it fails: then cells may look younger than they are. */
  readonly store: string;
  readonly rate: LiveRates;
  readonly layers: readonly LayerStatus[];
  /** How many more layers there are. */
  readonly layersOmitted: number;
  /** How many look at the map, this viewer among them. */
  readonly viewers: number;
}

/** A change for a list; `source` is null if it is not known. */
export type LatestChange = readonly [
  x: number,
  y: number,
  value: number,
  time: number,
  source: string | null,
];

/** The latest changes in the view, the newest first; replaces those before. */
export interface LatestMessage {
  readonly type: "latest";
  readonly layer: string;
  readonly changes: readonly LatestChange[];
}

/** What a layer's counts were, every few seconds, the oldest first. */
export type HistoryPoint = readonly [
  time: number,
  people: number,
  occupied: number,
];

/** Sent when a viewer has chosen another layer. */
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
 * The last message before the server closes. `gone` is the server's affair
 * (`stopping`, `too-many-viewers`): try again later. `error` is the viewer's
 * (`bad-message`, `too-fast`, `too-slow`).
 */
export interface FarewellMessage {
  readonly type: "gone" | "error";
  /** In kebab case, for programs. */
  readonly code: string;
  /** For people: what happened and what to do. */
  readonly message: string;
}

/** What the server sends as text. */
export type ServerMessage =
  | HelloMessage
  | StatusMessage
  | LatestMessage
  | HistoryMessage
  | PongMessage
  | FarewellMessage;

/** A message that is not one; its message says why, for people. */
export class MessageError extends Error {
  override readonly name = "MessageError";
}

type Json = Readonly<Record<string, unknown>>;

/**
 * Reads a message of a viewer, from anyone.
 *
 * @throws {MessageError} if it is too long or not such a message
 */
export function parseViewerMessage(text: string): ViewerMessage {
  if (text.length > MAX_MESSAGE_LENGTH) {
    throw new MessageError(
      `A message has ${text.length} characters; ${MAX_MESSAGE_LENGTH} are allowed`,
    );
  }
  const message = parseObject(text);
  switch (message.type) {
    case "view":
      return { type: "view", ...parseView(message) };
    case "ping":
      return { type: "ping", id: number(message, "id") };
    case "got":
      return { type: "got", frames: count(message, "frames") };
    default:
      throw new MessageError(
        'A message has no known "type"; viewers send "view", "ping" and "got"',
      );
  }
}

/**
 * Reads a message of the server. Its members are checked as far as a page relies
 * on them; of a type that is not known, nothing is.
 *
 * @returns undefined if it is of a type that this version does not know
 * @throws {MessageError} if it is not such a message
 */
export function parseServerMessage(text: string): ServerMessage | undefined {
  const message = parseObject(text);
  const check = SERVER_MESSAGES.get(String(message.type));
  if (check === undefined) return undefined;
  check(message);
  return message as unknown as ServerMessage;
}

const SERVER_MESSAGES: ReadonlyMap<string, (message: Json) => void> = new Map(
  Object.entries({
    hello: (message) => {
      string(message, "version");
      string(message, "title");
      count(message, "protocol");
      for (const name of ["staleAfter", "forgetAfter"]) {
        if (message[name] !== null) number(message, name);
      }
    },
    status: (message) => {
      for (const name of ["revision", "viewers"]) count(message, name);
      number(message, "time");
      string(message, "store");
      if (message.broker !== "up" && message.broker !== "down") {
        throw wrong(message, "broker");
      }
      if (!isObject(message.rate)) throw wrong(message, "rate");
      list(message, "layers");
    },
    latest: (message) => {
      string(message, "layer");
      list(message, "changes");
    },
    history: (message) => {
      string(message, "layer");
      list(message, "points");
    },
    pong: (message) => {
      number(message, "id");
      number(message, "time");
    },
    gone: checkFarewell,
    error: checkFarewell,
  }),
);

function checkFarewell(message: Json): void {
  string(message, "code");
  string(message, "message");
}

/** The same view with whole bounds that are int32, no cell less in it. */
export function wholeView({ layer, region }: View): View {
  if (region === null) return { layer, region };
  return {
    layer,
    region: {
      x0: int32(Math.floor(region.x0)),
      y0: int32(Math.floor(region.y0)),
      x1: int32(Math.ceil(region.x1)),
      y1: int32(Math.ceil(region.y1)),
    },
  };
}

function int32(bound: number): number {
  return Math.min(Math.max(bound, -(2 ** 31)), 2 ** 31 - 1);
}

/** The message that asks for a view; bounds as `wholeView` makes them. */
export function viewMessage(view: View): string {
  const { layer, region } = wholeView(view);
  const corners = region && [region.x0, region.y0, region.x1, region.y1];
  return JSON.stringify({ type: "view", layer, region: corners });
}

function parseView(message: Json): View {
  const layer = string(message, "layer");
  try {
    assertLayer(layer);
  } catch (error) {
    throw new MessageError(
      `A view has a layer that is none: ${(error as Error).message}`,
    );
  }
  return { layer, region: parseRegion(message.region) };
}

function parseRegion(region: unknown): Region | null {
  if (region === null || region === undefined) return null;
  if (
    Array.isArray(region) && region.length === 4 &&
    region.every((bound) => bound === (bound | 0)) &&
    region[0] <= region[2] && region[1] <= region[3]
  ) {
    const [x0, y0, x1, y1] = region;
    return { x0, y0, x1, y1 };
  }
  throw new MessageError(
    "A view has a region that is none: expected [x0,y0,x1,y1], int32, with x0 <= x1 and y0 <= y1, or null",
  );
}

function parseObject(text: string): Json {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new MessageError("A message is not JSON");
  }
  if (isObject(value)) return value;
  throw new MessageError("A message is not a JSON object");
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function string(message: Json, name: string): string {
  const value = message[name];
  if (typeof value !== "string") throw wrong(message, name);
  return value;
}

function number(message: Json, name: string): number {
  const value = message[name];
  if (typeof value !== "number") throw wrong(message, name);
  return value;
}

function count(message: Json, name: string): number {
  const value = number(message, name);
  if (!Number.isSafeInteger(value) || value < 0) throw wrong(message, name);
  return value;
}

function list(message: Json, name: string): readonly unknown[] {
  const value = message[name];
  if (!Array.isArray(value)) throw wrong(message, name);
  return value;
}

function wrong(message: Json, name: string): MessageError {
  return new MessageError(
    `A "${message.type}" message has no good "${name}"`,
  );
}
