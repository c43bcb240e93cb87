/**
 * The members of a shared subscription (MQTT 5, 4.8.2).
 *
 * @module
 */
import type { Message } from "../message.ts";
import type { Subscription } from "./subscription.ts";

/** Returns true if a member may receive a message. */
type Condition = (member: Subscription) => boolean;

/** Sessions of which each message goes to one, in turn. */
export class ShareGroup {
  /** With `$share/<group>/`. */
  readonly filter: string;
  readonly #members: Subscription[] = [];
  /** The index of the member whose turn it is. */
  #next = 0;

  constructor(filter: string) {
    this.filter = filter;
  }

  /** The members. */
  get members(): readonly Subscription[] {
    return this.#members;
  }

  /** Returns true if a member would receive a message at QoS 1 or 2. */
  get hasReceiver(): boolean {
    return this.#members.some(({ session, qos }) =>
      session.outlet !== undefined || (qos > 0 && !session.queue.isBlocked)
    );
  }

  /** Adds a member. */
  add(member: Subscription): void {
    this.#members.push(member);
  }

  /** Removes a member. */
  remove(member: Subscription): void {
    const index = this.#members.indexOf(member);
    if (index < 0) return;
    this.#members.splice(index, 1);
    if (index < this.#next) this.#next--;
  }

  /**
   * Delivers a message to the next member: to one that is connected and has
   * nothing waiting, otherwise to one that is connected, otherwise to one whose
   * session keeps it.
   *
   * @param mayReceive which members may receive it; undefined: all
   * @returns false if there is no such member, or its session is full
   */
  deliver(message: Message, mayReceive: Condition | undefined): boolean {
    const member = this.#pick(message, mayReceive);
    if (member === undefined) return false;
    return member.session.deliver(
      message,
      message.qos < member.qos ? message.qos : member.qos,
      member.retainAsPublished && message.retain,
      member.subscriptionIds,
      this.filter,
    );
  }

  #pick(
    message: Message,
    mayReceive: Condition | undefined,
  ): Subscription | undefined {
    const count = this.#members.length;
    let busy = -1;
    let away = -1;
    for (let i = 0; i < count; i++) {
      const index = (this.#next + i) % count;
      const member = this.#members[index]!;
      if (mayReceive !== undefined && !mayReceive(member)) continue;
      const { session } = member;
      if (session.outlet !== undefined) {
        if (session.queue.waiting === 0) return this.#take(index);
        if (busy < 0) busy = index;
      } else if (
        away < 0 && message.qos > 0 && member.qos > 0 &&
        !session.queue.isBlocked
      ) away = index;
    }
    const index = busy >= 0 ? busy : away;
    return index < 0 ? undefined : this.#take(index);
  }

  #take(index: number): Subscription {
    this.#next = (index + 1) % this.#members.length;
    return this.#members[index]!;
  }
}
