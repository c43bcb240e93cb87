/**
 * Reads the file of `--users`: users with their passwords and topic rules.
 *
 * A line is empty, a comment, the head of a section, or a rule of the section
 * above it:
 *
 * ```text
 * # Comment
 * user alice $scrypt$ln=14,r=8,p=1$SALT$HASH
 *   publish occupancy/data/%u/#
 *   subscribe occupancy/changes/#
 *   deny subscribe occupancy/changes/staff
 * administrator root $scrypt$ln=14,r=8,p=1$SALT$HASH
 * all
 *   publish home/#
 * anonymous
 *   defaults
 * ```
 *
 * @module
 */
import { atOnce } from "../../common/at_once.ts";
import { isLongerThan } from "../../common/bytes.ts";
import { AppError } from "../../common/errors.ts";
import { excerpt, isPrintable } from "../../common/printable.ts";
import { inTurns, type Work } from "../../common/turns.ts";
import { parsePasswordHash, type PasswordHash } from "./password.ts";
import { patternProblem, type Rule, type RuleAction } from "./rules.ts";

/** The rules of a section. */
export interface RuleSection {
  readonly rules: readonly Rule[];
  /** True if the default rules apply too. */
  readonly hasDefaults: boolean;
}

/** A user of the file. */
export interface User extends RuleSection {
  readonly name: string;
  readonly isAdministrator: boolean;
  /** Undefined for a user who logs in with a certificate only. */
  readonly password: PasswordHash | undefined;
  /** The line of the head, from 1. */
  readonly line: number;
}

/** The content of a users file. */
export interface Users {
  /** By name, in the order of the file. */
  readonly users: ReadonlyMap<string, User>;
  /** What every client may do, besides its own rules. */
  readonly all: RuleSection;
  /** What clients without a user name may do. */
  readonly anonymous: RuleSection;
}

/** A section while it is read. */
interface OpenSection {
  readonly rules: Rule[];
  hasDefaults: boolean;
  /** True after the line `defaults`. */
  namesDefaults: boolean;
  /** The line of the head; 0 if it is not in the file. */
  line: number;
}

/** About a millisecond of work. */
const LINES_PER_STEP = 100;
/** Maximum bytes (UTF-8) of a user name. */
const MAX_USER_NAME_BYTES = 200;

/**
 * From `#` to the end of a line. In a valid filter, `#` follows white space
 * only as its first character.
 */
const COMMENT = /^#.*$|\s+(?<!^(?:deny\s+)?(?:publish|subscribe)\s+)#.*$/s;

/**
 * Returns what is wrong with a user name; undefined if it is valid. It must be
 * one level of a topic, for `%u`, and one word of the file.
 *
 * @param name any text
 */
export function userNameProblem(name: string): string | undefined {
  if (name === "") return "is empty";
  const special = /[/+#]/.exec(name);
  if (special !== null) return `has ${special[0]}, which topics use`;
  if (/\s/.test(name)) return "has white space";
  if (name.includes("\ufffd")) return "is not valid UTF-8";
  if (!isPrintable(name)) return "has an invisible character";
  if (isLongerThan(name, MAX_USER_NAME_BYTES)) {
    return `is over ${MAX_USER_NAME_BYTES} bytes`;
  }
  return undefined;
}

/**
 * Splits a line into its first word and what follows.
 *
 * @param line the line, without its line feed
 * @returns undefined for an empty line or a comment
 */
export function parseLine(
  line: string,
): { readonly keyword: string; readonly rest: string } | undefined {
  const text = line.trim().replace(COMMENT, "");
  if (text === "") return undefined;
  const [keyword, rest] = splitWord(text);
  return { keyword, rest };
}

/**
 * Returns true if a keyword begins a section.
 *
 * @param keyword the first word of a line
 */
export function isSectionHead(keyword: string): boolean {
  return ["user", "administrator", "all", "anonymous"].includes(keyword);
}

/**
 * Parses a users file.
 *
 * @param text the content of the file
 * @param path of the file, for errors
 * @throws {AppError} (usage) that names the line and what is wrong
 */
export function parseUsers(text: string, path: string): Users {
  return atOnce(usersWork(text, path));
}

/**
 * Parses a users file, in as many turns of the event loop as it needs: a fleet
 * has tens of thousands of users.
 *
 * @param text the content of the file
 * @param path of the file, for errors
 * @returns rejects as {@linkcode parseUsers} throws
 */
export function parseUsersInTurns(text: string, path: string): Promise<Users> {
  return inTurns(usersWork(text, path));
}

function* usersWork(text: string, path: string): Work<Users> {
  const parser = new Parser();
  for (const [index, line] of text.split("\n").entries()) {
    if (index % LINES_PER_STEP === LINES_PER_STEP - 1) yield;
    const parsed = parseLine(line);
    if (parsed === undefined) continue;
    try {
      parser.add(parsed.keyword, parsed.rest, index + 1);
    } catch (error) {
      if (!(error instanceof LineError)) throw error;
      throw new AppError(
        "bad-users-file",
        `Cannot use ${path}:${index + 1}: ${error.message}`,
        { hint: error.hint, exitClass: "usage" },
      );
    }
  }
  return parser.result;
}

/** What is wrong with a line. */
class LineError extends Error {
  readonly hint: string;

  constructor(problem: string, hint: string) {
    super(problem);
    this.hint = hint;
  }
}

/** Collects the sections of one file. */
class Parser {
  readonly #users = new Map<string, User>();
  readonly #all = { ...newSection(0), hasDefaults: false };
  readonly #anonymous = newSection(0);
  #section: OpenSection | undefined;
  /** True in the section of an administrator. */
  #isAdministrator = false;

  get result(): Users {
    return { users: this.#users, all: this.#all, anonymous: this.#anonymous };
  }

  add(keyword: string, rest: string, line: number): void {
    switch (keyword) {
      case "user":
      case "administrator":
        return this.#addUser(keyword, rest, line);
      case "all":
        return this.#openGroup(this.#all, keyword, rest, line);
      case "anonymous":
        return this.#openGroup(this.#anonymous, keyword, rest, line);
      case "publish":
      case "subscribe":
        return this.#addRule(keyword, rest, false);
      case "deny": {
        const [action, pattern] = splitWord(rest);
        if (action === "publish" || action === "subscribe") {
          return this.#addRule(action, pattern, true);
        }
        throw new LineError(
          "publish or subscribe must follow deny",
          "Write deny publish TOPIC, or deny subscribe TOPIC.",
        );
      }
      case "defaults":
        return this.#addDefaults(rest);
    }
    throw new LineError(
      `unknown word ${quote(keyword)}`,
      "A line begins with user, administrator, all, anonymous, publish, subscribe, deny, defaults or #.",
    );
  }

  #addUser(keyword: string, rest: string, line: number): void {
    const [name = "", hash, extra] = rest.split(/\s+/);
    const problem = userNameProblem(name);
    if (problem !== undefined) {
      throw new LineError(
        name === ""
          ? `a name must follow ${keyword}`
          : `the user name ${quote(name)} ${problem}`,
        "Use one word without /, + and #, such as alice or sensor-17.",
      );
    }
    const known = this.#users.get(name);
    if (known !== undefined) {
      throw new LineError(
        `the user ${name} is in line ${known.line} already`,
        "Remove one of the two.",
      );
    }
    const password = hash === undefined ? undefined : parsePasswordHash(hash);
    if (hash !== undefined && password === undefined || extra !== undefined) {
      throw new LineError(
        `what follows the name ${name} is not a hash of a password`,
        `Set the password with occupancy users passwd ${name}: the file never contains passwords.`,
      );
    }
    const isAdministrator = keyword === "administrator";
    const user = { ...newSection(line), name, isAdministrator, password };
    this.#users.set(name, user);
    this.#section = user;
    this.#isAdministrator = isAdministrator;
  }

  #openGroup(
    section: OpenSection,
    keyword: string,
    rest: string,
    line: number,
  ): void {
    checkEnd(keyword, rest);
    if (section.line > 0) {
      throw new LineError(
        `the section ${keyword} is in line ${section.line} already`,
        "Move the rules there.",
      );
    }
    section.line = line;
    this.#section = section;
    this.#isAdministrator = false;
  }

  #addRule(action: RuleAction, pattern: string, denies: boolean): void {
    const section = this.#sectionOf(action);
    const problem = patternProblem(pattern);
    if (problem !== undefined) {
      throw new LineError(
        pattern === ""
          ? `a topic must follow ${action}`
          : `the topic ${quote(pattern)} ${problem}`,
        "Use a topic or a filter, such as occupancy/data/%u/#.",
      );
    }
    section.rules.push({ action, denies, pattern });
    // Rules of its own replace the default ones; a denial only limits them.
    if (!denies && !section.namesDefaults) section.hasDefaults = false;
  }

  #addDefaults(rest: string): void {
    checkEnd("defaults", rest);
    const section = this.#sectionOf("defaults");
    section.hasDefaults = section.namesDefaults = true;
  }

  /** @throws {LineError} if the open section takes no rules */
  #sectionOf(keyword: string): OpenSection {
    if (this.#isAdministrator) {
      throw new LineError(
        "an administrator has no rules",
        "An administrator may publish and subscribe to everything. Remove the rule, or write user instead of administrator.",
      );
    }
    if (this.#section !== undefined) return this.#section;
    throw new LineError(
      `${keyword} is not below a user`,
      "Write user NAME, all or anonymous above the rules.",
    );
  }
}

function newSection(line: number): OpenSection {
  return { rules: [], hasDefaults: true, namesDefaults: false, line };
}

/** @throws {LineError} if something follows a keyword that stands alone */
function checkEnd(keyword: string, rest: string): void {
  if (rest === "") return;
  throw new LineError(
    `unexpected ${quote(rest)} after ${keyword}`,
    "Remove it, or write # before a comment.",
  );
}

function splitWord(text: string): [word: string, rest: string] {
  const end = text.search(/\s/);
  return end < 0 ? [text, ""] : [text.slice(0, end), text.slice(end).trim()];
}

function quote(text: string): string {
  return `"${excerpt(text)}"`;
}
