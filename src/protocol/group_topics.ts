/**
 * The topics of a group of servers that share the load of one prefix.
 *
 * @module
 */
import { ProtocolError } from "./errors.ts";
import { quote } from "./text.ts";
import { levelProblem, type Topics } from "./topics.ts";

/**
 * The topics of one group. The broker passes each message with readings, and
 * each request, to one of the members (MQTT 5, 4.8.2: shared subscriptions).
 *
 * @example
 * ```ts
 * import { GroupTopics } from "./group_topics.ts";
 * import { Topics } from "./topics.ts";
 *
 * const { shared } = new GroupTopics(new Topics("campus"), "east");
 * console.log(shared[0]); // $share/east/campus/data/#
 * ```
 */
export class GroupTopics {
  /** The name of the group. */
  readonly group: string;
  /** The filters whose messages the members share. */
  readonly shared: readonly string[];
  /**
   * On it, a member that has a request asks all members to answer when they have
   * stored what they have received before.
   */
  readonly barrier: string;
  /** The filter of the states of all servers. */
  readonly stateFilter: string;
  readonly #topics: Topics;

  /**
   * Makes the topics of a group.
   *
   * @param topics the topics of the servers
   * @param group the name of the group, one topic level
   * @throws {ProtocolError} "bad-group"
   */
  constructor(topics: Topics, group: string) {
    const problem = levelProblem(group);
    if (problem !== undefined) {
      throw new ProtocolError(
        "bad-group",
        `the group name ${quote(group)} ${problem}`,
      );
    }
    this.#topics = topics;
    this.group = group;
    this.shared = [topics.dataFilter, topics.request].map((filter) =>
      `$share/${group}/${filter}`
    );
    this.barrier = `${topics.prefix}/server/group/${group}/barrier`;
    this.stateFilter = `${topics.state}/+`;
  }

  /**
   * Returns the topic of the state of one server (retained).
   *
   * @param name its MQTT client id, one topic level
   */
  state(name: string): string {
    return `${this.#topics.state}/${name}`;
  }

  /**
   * Returns the server whose state a topic has; undefined for other topics.
   *
   * @param topic any topic
   */
  serverOf(topic: string): string | undefined {
    const start = `${this.#topics.state}/`;
    if (!topic.startsWith(start)) return undefined;
    const name = topic.slice(start.length);
    return levelProblem(name) === undefined ? name : undefined;
  }

  /**
   * Returns the topic on which members answer to {@linkcode barrier}.
   *
   * @param name the MQTT client id of the member that asks
   */
  passed(name: string): string {
    return `${this.#topics.prefix}/server/group/${this.group}/passed/${name}`;
  }

  /**
   * Returns the filters that a member subscribes to at QoS 1, for itself.
   *
   * @param name its MQTT client id
   */
  subscriptions(name: string): string[] {
    return [
      this.#topics.marker(name),
      this.stateFilter,
      this.barrier,
      this.passed(name),
    ];
  }
}
