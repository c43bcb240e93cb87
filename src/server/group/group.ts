/**
 * The part of a server that shares the load with others.
 *
 * @module
 */
import type { Incoming } from "../../mqtt/link.ts";
import type { GroupTopics } from "../../protocol/mod.ts";
import type { ServerContext } from "../context.ts";
import type { Pipeline } from "../pipeline.ts";
import { Adoption } from "./adoption.ts";
import { GroupBarrier } from "./group_barrier.ts";
import { GroupMembers } from "./members.ts";
import type { SessionSource } from "./sessions.ts";

/** Options of {@linkcode Group}. */
export interface GroupOptions {
  /** Undefined: what waits for a member waits until it is back. */
  readonly sessions: SessionSource | undefined;
  /** Called when this server must publish its state again. */
  readonly onReplaced: () => void;
  /** Handles a message that waited for another member. */
  readonly dispatch: (message: Incoming) => void;
}

/** The group of a server. */
export class Group {
  readonly members: GroupMembers;
  readonly barrier: GroupBarrier;
  readonly #adoption: Adoption | undefined;

  constructor(
    context: ServerContext,
    topics: GroupTopics,
    pipeline: Pick<Pipeline, "processed">,
    { sessions, onReplaced, dispatch }: GroupOptions,
  ) {
    const members = this.members = new GroupMembers(context, topics, {
      onReplaced,
      onOffline: (link) => this.#adoption?.schedule(link),
      onWorks: (link, name) => this.barrier.memberWorks(link, name),
      onSucceeded: (link, name) => this.barrier.memberSucceeded(link, name),
    });
    this.barrier = new GroupBarrier(context, topics, members, pipeline);
    this.#adoption = sessions &&
      new Adoption(context, topics, sessions, { members, dispatch });
  }

  /**
   * Call after the last messages were processed: their acknowledgements need the
   * sessions.
   */
  async stop(): Promise<void> {
    await this.#adoption?.stop();
  }

  /** Call when the store works again. */
  storeWorks(): void {
    this.barrier.storeWorks();
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
