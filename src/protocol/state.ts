import { ProtocolError } from "./errors.ts";
import { encodeText, isJsonObject, parseJson } from "./text.ts";

/** What the retained message on `<prefix>/server/state` says. */
export interface ServerState {
  /** Whether the server is there. Its will says "offline". */
  readonly state: "online" | "offline";
  /** The server's name. */
  readonly name?: string;
  /** The server's version. */
  readonly version?: string;
  /** Since when it is in this state, ms since 1970. A will cannot know. */
  readonly since?: number;
  /** Why readings are not taken in just now, for people; left out if they are. */
  readonly problem?: string;
}

/** Writes a state as JSON. */
export function encodeState(state: ServerState): Uint8Array<ArrayBuffer> {
  const { name, version, since, problem } = state;
  return encodeText(
    JSON.stringify({ state: state.state, name, version, since, problem }),
  );
}

/**
 * Parses a state; keys that it does not know are ignored.
 *
 * @param payload The application message
 * @throws {ProtocolError} "bad-utf8", "bad-json" or "bad-state"
 */
export function parseState(payload: Uint8Array): ServerState {
  const body = parseJson(payload);
  if (!isJsonObject(body)) return fail("it is not a JSON object");
  const { state, name, version, since, problem } = body;
  if (state !== "online" && state !== "offline") {
    return fail("state is neither online nor offline");
  }
  if (name !== undefined && typeof name !== "string") {
    return fail("name is not a string");
  }
  if (version !== undefined && typeof version !== "string") {
    return fail("version is not a string");
  }
  if (since !== undefined && typeof since !== "number") {
    return fail("since is not a number");
  }
  if (problem !== undefined && typeof problem !== "string") {
    return fail("problem is not a string");
  }
  return {
    state,
    ...(name !== undefined && { name }),
    ...(version !== undefined && { version }),
    ...(since !== undefined && { since }),
    ...(problem !== undefined && { problem }),
  };
}

function fail(reason: string): never {
  throw new ProtocolError("bad-state", `the server's state: ${reason}`);
}
