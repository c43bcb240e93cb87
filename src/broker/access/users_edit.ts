/**
 * Changes the text of a users file: comments and all other lines stay as they
 * are. The file must be valid.
 *
 * @module
 */
import { isSectionHead, parseLine } from "./users_file.ts";

const NEW_FILE =
  "# Users of the embedded broker, see occupancy users --help.\n";

/** A user to add. */
export interface NewUser {
  readonly name: string;
  readonly isAdministrator: boolean;
  /** The hash of the password; undefined: the user needs a certificate. */
  readonly password: string | undefined;
}

/**
 * Adds a user at the end of a file.
 *
 * @param text of the file; empty for a new file
 * @param user who is not in the file
 */
export function addUser(
  text: string,
  { name, isAdministrator, password }: NewUser,
): string {
  const start = text === "" || text.endsWith("\n") ? text : `${text}\n`;
  const keyword = isAdministrator ? "administrator" : "user";
  const words = [keyword, name, ...password === undefined ? [] : [password]];
  return `${start || NEW_FILE}${words.join(" ")}\n`;
}

/**
 * Replaces the password of a user, or adds one.
 *
 * @param text of the file
 * @param name of a user in the file
 * @param password the hash
 */
export function setPassword(
  text: string,
  name: string,
  password: string,
): string {
  const lines = text.split("\n");
  const index = lines.findIndex((line) => isHeadOf(line, name));
  lines[index] = lines[index]!.replace(
    /^(\s*\S+\s+\S+)(\s+\$\S+)?/,
    (_, head: string) => `${head} ${password}`,
  );
  return lines.join("\n");
}

/**
 * Removes a user with its rules. Comments after its last rule stay: they belong
 * to what follows.
 *
 * @param text of the file
 * @param name of a user in the file
 */
export function deleteUser(text: string, name: string): string {
  const lines = text.split("\n");
  const first = lines.findIndex((line) => isHeadOf(line, name));
  let last = first;
  for (let i = first + 1; i < lines.length; i++) {
    const parsed = parseLine(lines[i]!);
    if (parsed === undefined) continue;
    if (isSectionHead(parsed.keyword)) break;
    last = i;
  }
  lines.splice(first, last - first + 1);
  return lines.join("\n");
}

function isHeadOf(line: string, name: string): boolean {
  const parsed = parseLine(line);
  return (parsed?.keyword === "user" || parsed?.keyword === "administrator") &&
    parsed.rest.split(/\s+/, 1)[0] === name;
}
