/**
 * Topic rules: what a user may publish and subscribe to.
 *
 * A denied topic is denied, whatever the order of the rules: the meaning of a
 * file does not depend on where a line was added.
 *
 * @module
 */
import type { Topics } from "../../protocol/topics.ts";
import type { SubscribeGrant } from "./access.ts";
import { covers, filterProblem, type Levels, overlaps } from "./filters.ts";

/** What a rule is about. */
export type RuleAction = "publish" | "subscribe";

/** One rule. */
export interface Rule {
  readonly action: RuleAction;
  /** True: forbids the topics. */
  readonly denies: boolean;
  /**
   * A topic filter, in which `%u` stands for the user name, `%c` for the client
   * id and `%%` for a percent sign.
   */
  readonly pattern: string;
}

/** The client for which the placeholders of a pattern stand. */
export interface RuleSubject {
  /** Undefined for an anonymous client: then rules with `%u` do not apply. */
  readonly user: string | undefined;
  readonly clientId: string;
}

/** A part of a pattern that is not plain text. */
const PLACEHOLDER = /%(.?)/gsu;

/** A name with one of these would be more than one level, or a wildcard. */
const UNSAFE = /[/+#\0]/;

/**
 * Returns what is wrong with the pattern of a rule; undefined if it is valid.
 *
 * @param pattern any text
 */
export function patternProblem(pattern: string): string | undefined {
  for (const [placeholder, letter] of pattern.matchAll(PLACEHOLDER)) {
    if (!["u", "c", "%"].includes(letter!)) {
      return `has ${placeholder}: write %u for the user name, %c for the client id, %% for a percent sign`;
    }
  }
  return filterProblem(pattern);
}

/**
 * Returns true if rules mean the same for all clients of a user.
 *
 * @param rules valid rules
 */
export function areSameForClients(rules: readonly Rule[]): boolean {
  return !rules.some(({ pattern }) => /%c/.test(pattern));
}

/** The rules of one client. */
export class ClientRules {
  readonly #allowed = { publish: [] as Levels[], subscribe: [] as Levels[] };
  readonly #denied = { publish: [] as Levels[], subscribe: [] as Levels[] };

  /**
   * @param rules valid rules, in any order
   * @param subject the client
   */
  constructor(rules: Iterable<Rule>, subject: RuleSubject) {
    for (const { action, denies, pattern } of rules) {
      const filter = levelsFor(pattern, subject, denies);
      if (filter === undefined) continue;
      (denies ? this.#denied : this.#allowed)[action].push(filter);
    }
  }

  /**
   * Returns true if the client may publish to a topic, or receive its messages.
   *
   * @param topic a valid topic name
   */
  allows(action: RuleAction, topic: string): boolean {
    const levels = topic.split("/");
    const matches = (filter: Levels) => covers(filter, levels);
    return this.#allowed[action].some(matches) &&
      !this.#denied[action].some(matches);
  }

  /**
   * Returns how much of a filter the client may receive. A filter of which only
   * a part is allowed is `some`, also if no topic of that part exists.
   *
   * @param filter a valid topic filter
   */
  grant(filter: string): SubscribeGrant {
    const levels = filter.split("/");
    const allowed = this.#allowed.subscribe;
    const denied = this.#denied.subscribe;
    if (!allowed.some((one) => overlaps(one, levels))) return "none";
    if (denied.some((one) => covers(one, levels))) return "none";
    return allowed.some((one) => covers(one, levels)) &&
        !denied.some((one) => overlaps(one, levels))
      ? "all"
      : "some";
  }
}

/**
 * Replaces the placeholders of a pattern. A value that is not one plain level,
 * such as a client id with a slash, could reach other topics: then a rule that
 * allows does not apply, and one that denies applies to every value.
 *
 * @returns undefined if the rule does not apply
 */
function levelsFor(
  pattern: string,
  { user, clientId }: RuleSubject,
  denies: boolean,
): Levels | undefined {
  let applies = true;
  const levels = pattern.split("/").map((level) => {
    let isSafe = true;
    const text = level.replace(PLACEHOLDER, (_, letter: string) => {
      if (letter === "%") return "%";
      const value = letter === "u" ? user : clientId;
      if (value === undefined || value === "") applies = false;
      else if (UNSAFE.test(value)) isSafe = false;
      return value ?? "";
    });
    if (isSafe) return text;
    applies &&= denies;
    return "+";
  });
  return applies ? levels : undefined;
}

/**
 * The rules of users without rules of their own: they may publish readings and
 * requests, and read what the server publishes.
 *
 * @param topics the topics of the server
 */
export function defaultRules(topics: Topics): Rule[] {
  const allow = (action: RuleAction) => (topic: string) => ({
    action,
    denies: false,
    pattern: topic.replaceAll("%", "%%"),
  });
  return [
    ...[topics.dataFilter, topics.request].map(allow("publish")),
    ...topics.clientFilters.map(allow("subscribe")),
  ];
}
