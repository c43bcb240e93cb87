/**
 * The part of a server that shares the load with others.
 *
 * @module
 */
import type { Incoming } from "../../mqtt/link.ts";
import type { GroupTopics } from "../../protocol/mod.ts";
import type { ServerContext } from "../context.ts";
import type { Pipeline } from "../pipeline.ts";
import { GroupBarrier } from "./group_barrier.ts";
import { GroupMembers } from "./members.ts";

/** The group of a server. */
export class Group {
  readonly members: GroupMembers;
  readonly barrier: GroupBarrier;

  /** @param onReplaced called when this server must publish its state again */
  constructor(
    context: ServerContext,
    topics: GroupTopics,
    pipeline: Pick<Pipeline, "processed">,
    onReplaced: () => void,
  ) {
    this.members = new GroupMembers(context, topics, {
      onReplaced,
      onOffline: (link, name) => this.barrier.memberOffline(link, name),
    });
    this.barrier = new GroupBarrier(context, topics, this.members, pipeline);
  }

  /**
   * Handles a message between the members.
   *
   * @returns false if it is none
   */
  handle(message: Incoming): boolean {
    return this.barrier.handle(message) || this.members.handle(message);
  }
}
