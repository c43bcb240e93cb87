/**
 * The command lines of `occupancy` that the page shows. They run as copied.
 *
 * @module
 */

import { isLoopback } from "../../feed/hosts.ts";
import { accessOptions, optionValue } from "../../feed/commands.ts";
import type { ClientAccess } from "../../feed/messages.ts";
import type { Region } from "../../protocol/region.ts";

/** A command line, and what to know before it is run. */
export interface Command {
  readonly line: string;
  /** Undefined if it runs as copied. */
  readonly note: string | undefined;
}

/** The `occupancy request` that prints a region of a layer. */
export function requestCommand(
  layer: string,
  region: Region,
  access: Access,
): Command {
  const { x0, y0, x1, y1 } = region;
  // "=", since the first number may be negative and look like an option.
  const what = `--layer${optionValue(layer)} --region=${x0},${y0},${x1},${y1}`;
  return {
    line: `occupancy request ${what} ${pageOptions(access)}`,
    note: noteOf(access),
  };
}

/** The `occupancy request` that prints the state of a zone. */
export function zoneCommand(name: string, access: Access): Command {
  return {
    line: `occupancy request --zone${optionValue(name)} ${pageOptions(access)}`,
    note: noteOf(access),
  };
}

/** The commands that send a reading to a layer. They need no file. */
export function sendCommand(layer: string, access: Access): Command {
  const where = `--layer${optionValue(layer)} ${pageOptions(access)}`;
  return {
    line: `echo 1,2,1 | occupancy client --file - ${where}`,
    note: noteOf(access),
  };
}

/** How a command reaches the broker, and where the page was opened. */
export interface Access extends ClientAccess {
  /** The host name in the page's address, as in `location.hostname`. */
  readonly pageHost: string;
}

/** Returns the options with an address that works where the page is open. */
function pageOptions({ pageHost, ...access }: Access): string {
  if (access.reach !== "page") return accessOptions(access);
  // The broker listens on all addresses: also on that of the page.
  const url = new URL(access.broker);
  url.hostname = pageHost;
  return accessOptions({ ...access, broker: url.href });
}

function noteOf({ needsLogin, reach, pageHost }: Access): string | undefined {
  const notes: string[] = [];
  if (needsLogin) {
    notes.push(
      "The broker requires a login: write user:password@ before its name.",
    );
  }
  if (reach === "machine" && !isLoopback(pageHost)) {
    notes.push(
      "Run it on the server's machine. For other machines, start the server with --public-broker.",
    );
  }
  return notes.length === 0 ? undefined : notes.join(" ");
}
