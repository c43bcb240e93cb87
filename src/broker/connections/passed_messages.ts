/**
 * Messages that need no acknowledgement of the server, behind some that do.
 *
 * @module
 */
import { ByteWriter } from "../../common/byte_writer.ts";
import { AckEntry, type AckQueue } from "./ack_queue.ts";
import type { CommitGate } from "./commit_gate.ts";

/** Their acknowledgements. */
export class PassedMessages extends AckEntry {
  readonly #gate: CommitGate;
  readonly #packets = new ByteWriter(64);
  #isStaged = false;
  override messages = 0;
  override readonly size = 0;

  private constructor(queue: AckQueue, gate: CommitGate) {
    super(queue);
    this.#gate = gate;
    this.isDone = true;
  }

  /**
   * Adds a message to the end of a queue.
   *
   * @param queue not empty
   * @param gate sends the acknowledgement in turn
   * @param isStaged whether it has to wait for a commit
   * @param append appends the acknowledgement
   */
  static add(
    queue: AckQueue,
    gate: CommitGate,
    isStaged: boolean,
    append: (out: ByteWriter) => void,
  ): void {
    let last = queue.last;
    if (!(last instanceof PassedMessages)) {
      last = new PassedMessages(queue, gate);
      queue.add(last);
    }
    const passed = last as PassedMessages;
    append(passed.#packets);
    passed.#isStaged ||= isStaged;
    passed.messages++;
    queue.grow();
  }

  override finish(): void {
    this.#gate.begin(this.#isStaged, this.messages)
      .raw(this.#packets.take());
  }
}
