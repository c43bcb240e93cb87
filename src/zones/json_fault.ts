/**
 * Finds the place of an error in JSON. `JSON.parse` reports it only in some
 * messages, which differ between engines.
 *
 * @module
 */

import { quote } from "../protocol/text.ts";

/** Where JSON is wrong, and why. */
export interface JsonFault {
  /** Index in the text, in UTF-16 code units. */
  readonly at: number;
  /** What is wrong, for people. */
  readonly problem: string;
  /** True if the text ends too early. */
  readonly isCutOff: boolean;
}

/** A token, after white space; a string up to its first wrong character. */
const TOKEN =
  /[ \t\n\r]*([{}[\],:]|true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.+-])|")?/y;
const STRING_PART =
  /[^"\\\p{Cc}]{1,1000}|[\x7f-\x9f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/uy;
/** What people see of a word that is no JSON. */
const WORD = /[\w.+-]{1,400}|[^]/uy;

/** The start of a word or number, or of an escape, at the end of a text. */
const PARTIAL_WORD =
  /^(?:t(?:ru?)?|f(?:a(?:ls?)?)?|n(?:ul?)?|-|-?(?:0|[1-9]\d*)(?:\.|(?:\.\d+)?[eE][+-]?))$/;
const PARTIAL_ESCAPE = /^\\(?:u[0-9a-fA-F]{0,3})?$/;

const VALUE = "a value";
const AFTER_VALUE = ["a comma or the end of the object", "a comma or ]"];

/**
 * Finds the first error of a text that `JSON.parse` refuses.
 *
 * @param text the text
 * @returns undefined if the text is valid JSON
 */
export function findJsonFault(text: string): JsonFault | undefined {
  /** The brackets that close what is open. */
  const closers: string[] = [];
  let expected = VALUE;
  let isFirst = false;
  let at = 0;
  for (;;) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text)!;
    const token = match[1];
    const start = TOKEN.lastIndex - (token?.length ?? 0);
    at = TOKEN.lastIndex;
    const closer = closers.at(-1);
    if (token === undefined && at === text.length) {
      if (expected === "") return undefined;
      return cutOff(text);
    }
    if (token === '"' && (expected === VALUE || expected === "a name")) {
      const end = endOfString(text, at);
      if (typeof end !== "number") return end;
      at = end;
      expected = expected === VALUE ? after(closers) : "a colon";
    } else if (token === ":" && expected === "a colon") {
      expected = VALUE;
    } else if (token === "," && AFTER_VALUE.includes(expected)) {
      expected = closer === "}" ? "a name" : VALUE;
    } else if (
      token !== undefined && token === closer &&
      (AFTER_VALUE.includes(expected) || isFirst)
    ) {
      closers.pop();
      expected = after(closers);
    } else if (expected === VALUE && (token === "{" || token === "[")) {
      closers.push(token === "{" ? "}" : "]");
      expected = token === "{" ? "a name" : VALUE;
      isFirst = true;
      continue;
    } else if (
      expected === VALUE && token !== undefined && !/^[}\],:"]/.test(token)
    ) {
      expected = after(closers);
    } else return unexpected(text, start, expected || "the end");
    isFirst = false;
  }
}

function cutOff(text: string): JsonFault {
  const problem = "the JSON ends too early";
  return { at: text.length, problem, isCutOff: true };
}

function after(closers: readonly string[]): string {
  if (closers.length === 0) return "";
  return AFTER_VALUE[closers.at(-1) === "}" ? 0 : 1]!;
}

function unexpected(text: string, at: number, expected: string): JsonFault {
  WORD.lastIndex = at;
  const word = WORD.exec(text)![0];
  const isLast = at + word.length === text.length;
  if (isLast && expected === VALUE && PARTIAL_WORD.test(word)) {
    return cutOff(text);
  }
  return {
    at,
    problem: `${quote(word)} where ${expected} was expected`,
    isCutOff: false,
  };
}

/** Returns the index after a string, or what is wrong with it. */
function endOfString(text: string, from: number): number | JsonFault {
  for (let at = from;;) {
    STRING_PART.lastIndex = at;
    if (STRING_PART.test(text)) {
      at = STRING_PART.lastIndex;
      continue;
    }
    if (text[at] === '"') return at + 1;
    if (at === text.length || PARTIAL_ESCAPE.test(text.slice(at, at + 6))) {
      return cutOff(text);
    }
    const problem = text[at] === "\\"
      ? "a backslash that starts no escape of JSON"
      : "a control character, such as a line break, in a text";
    return { at, problem, isCutOff: false };
  }
}
