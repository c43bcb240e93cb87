/**
 * Decides which of the servers that share the tables of a history writes them.
 *
 * @module
 */
import { delay } from "../../common/async.ts";
import type { HistorySharing, Leases } from "../../store/store.ts";
import { LEADING_SHARD } from "../leadership.ts";
import type { HistoryWrites } from "./history_writes.ts";
import type { Recorder } from "./recorder.ts";

const RETRY_INTERVAL_MS = 500;

/** What a {@linkcode WriterRole} needs. */
export interface WriterRoleContext {
  readonly sharing: HistorySharing;
  readonly leases: Pick<Leases, "fenceOf">;
  readonly recorder: Pick<
    Recorder,
    "capture" | "follow" | "isWriting" | "lead"
  >;
  readonly writes: Pick<HistoryWrites, "abandon" | "resume">;
}

/**
 * The leader of the servers writes the history, under the fencing number of its
 * lease: so what an earlier one sends later changes nothing.
 */
export class WriterRole {
  readonly #context: WriterRoleContext;
  /** Ends the present time as the leader. */
  #end: AbortController | undefined;

  constructor(context: WriterRoleContext) {
    this.#context = context;
  }

  /** Call it when this server leads. */
  elected(): void {
    const fence = this.#context.leases.fenceOf(LEADING_SHARD);
    if (fence === undefined) return; // it has ended again
    this.#end?.abort();
    const { signal } = this.#end = new AbortController();
    void this.#lead(fence, signal);
  }

  /** Call it when another server is about to lead: records the map before. */
  async resign(): Promise<void> {
    const end = this.#end;
    if (end === undefined) return;
    await this.#context.recorder.capture();
    if (this.#end === end) this.stop(); // else it was elected again
  }

  /**
   * Call it once a second: begins again if Redis has another fencing number than
   * this server, because a master has lost it.
   */
  check(): void {
    const { sharing, recorder } = this.#context;
    if (recorder.isWriting && !sharing.isLeading) this.elected();
  }

  /** Does not begin to write any more. A server that writes goes on. */
  close(): void {
    this.#end?.abort();
  }

  /** Call it when this server does not lead any more. */
  stop(): void {
    if (this.#end === undefined) return;
    this.#end.abort();
    this.#end = undefined;
    const { sharing, recorder, writes } = this.#context;
    sharing.resign();
    recorder.follow();
    writes.abandon();
  }

  async #lead(fence: number, signal: AbortSignal): Promise<void> {
    const { sharing, recorder, writes } = this.#context;
    while (!await sharing.lead(fence)) {
      await delay(RETRY_INTERVAL_MS, signal);
      if (signal.aborted) return;
    }
    if (signal.aborted) return;
    writes.resume();
    recorder.lead();
  }
}
