/**
 * Encodes and parses the state that a server publishes.
 *
 * @module
 */

import { ProtocolError } from "./errors.ts";
import { encodeText, isJsonObject, parseJson } from "./text.ts";
import { checkReplyTime } from "./time.ts";

/** The retained message on `<prefix>/server/state`. */
export interface ServerState {
  /** Whether the server is running. The will of the server is "offline". */
  readonly state: "online" | "offline";
  /** The server's name. */
  readonly name?: string;
  /** The server's version. */
  readonly version?: string;
  /** When this state began, ms since 1970. Absent in a will. */
  readonly since?: number;
  /** Why the server cannot store readings at present, for people. */
  readonly problem?: string;
  /**
   * When another client has last used the client id of the server, and so has
   * disconnected it, ms since 1970.
   */
  readonly conflict?: number;
  /** The group of servers that it belongs to. */
  readonly group?: string;
  /** The server that has received the messages that waited for this one. */
  readonly successor?: string;
}

/** Any client can publish a state: a longer one is not parsed. */
const MAX_STATE_BYTES = 64 * 1024;

/**
 * Encodes a state as JSON.
 *
 * @param state the state
 * @returns the payload
 */
export function encodeState(state: ServerState): Uint8Array<ArrayBuffer> {
  const { name, version, since, problem, conflict, group, successor } = state;
  return encodeText(
    JSON.stringify({
      state: state.state,
      name,
      version,
      since,
      problem,
      conflict,
      group,
      successor,
    }),
  );
}

/**
 * Parses a state and ignores unknown keys.
 *
 * @param payload the application message
 * @throws {ProtocolError} "bad-utf8", "bad-json" or "bad-state"
 */
export function parseState(payload: Uint8Array): ServerState {
  if (payload.length > MAX_STATE_BYTES) {
    return fail(`more than ${MAX_STATE_BYTES} bytes`);
  }
  const body = parseJson(payload);
  if (!isJsonObject(body)) return fail("not a JSON object");
  const { state, name, version, since, problem, conflict, group, successor } =
    body;
  if (state !== "online" && state !== "offline") {
    return fail("state is neither online nor offline");
  }
  if (name !== undefined && typeof name !== "string") {
    return fail("name is not a string");
  }
  if (version !== undefined && typeof version !== "string") {
    return fail("version is not a string");
  }
  if (since !== undefined && !isTime(since)) {
    return fail("since is not a time");
  }
  if (conflict !== undefined && !isTime(conflict)) {
    return fail("conflict is not a time");
  }
  if (problem !== undefined && typeof problem !== "string") {
    return fail("problem is not a string");
  }
  if (group !== undefined && typeof group !== "string") {
    return fail("group is not a string");
  }
  if (successor !== undefined && typeof successor !== "string") {
    return fail("successor is not a string");
  }
  return {
    state,
    ...(name !== undefined && { name }),
    ...(version !== undefined && { version }),
    ...(since !== undefined && { since }),
    ...(problem !== undefined && { problem }),
    ...(conflict !== undefined && { conflict }),
    ...(group !== undefined && { group }),
    ...(successor !== undefined && { successor }),
  };
}

function isTime(value: unknown): value is number {
  return typeof value === "number" && !Number.isNaN(checkReplyTime(value));
}

function fail(reason: string): never {
  throw new ProtocolError(
    "bad-state",
    `the server's state is not valid: ${reason}`,
  );
}
