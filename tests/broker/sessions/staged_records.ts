/** Records whose changes are lost in a crash unless they were committed. */
import { StoredState } from "../../../src/broker/persistence/stored_state.ts";
import { FIRST_IDS, lastIdOf } from "../../../src/store/record_staging.ts";
import type { RecordOwner, Records } from "../../../src/store/store.ts";

type Encode = () => Uint8Array<ArrayBuffer>;

/** As the records of a store, with commits and crashes of the test. */
export class StagedTestRecords implements Records {
  readonly #committed: Map<number, Uint8Array<ArrayBuffer>>;
  readonly #staged = new Map<number, Encode | undefined>();
  #lastId: number;
  #waiting: ((counts: boolean) => void)[] = [];

  constructor(committed = new Map<number, Uint8Array<ArrayBuffer>>()) {
    this.#committed = committed;
    this.#lastId = Math.max(
      0,
      ...Array.from(committed.keys(), (id) => id % FIRST_IDS.zones),
    );
  }

  /** The number of committed records. */
  get size(): number {
    return this.#committed.size;
  }

  load(owner: RecordOwner): Iterable<readonly [number, Uint8Array]> {
    return [...this.#committed]
      .filter(([id]) => id > FIRST_IDS[owner] && id <= lastIdOf(owner))
      .sort(([a], [b]) => a - b);
  }

  add(owner: RecordOwner, encode: Encode): number {
    const id = FIRST_IDS[owner] + ++this.#lastId;
    this.#staged.set(id, encode);
    return id;
  }

  replace(id: number, encode: Encode): void {
    this.#staged.set(id, encode);
  }

  delete(id: number): void {
    this.#staged.set(id, undefined);
  }

  bind(): void {}

  afterCommit(callback: (counts: boolean) => void): void {
    if (this.#staged.size === 0 && this.#waiting.length === 0) callback(true);
    else this.#waiting.push(callback);
  }

  /** Commits all changes. */
  commit(): void {
    for (const [id, encode] of this.#staged) {
      if (encode === undefined) this.#committed.delete(id);
      else this.#committed.set(id, encode());
    }
    this.#staged.clear();
    const callbacks = this.#waiting;
    this.#waiting = [];
    for (const callback of callbacks) callback(true);
  }

  /** Returns the records as the next process finds them. */
  crashed(): StagedTestRecords {
    return new StagedTestRecords(new Map(this.#committed));
  }

  /** Returns the persistence of the broker over these records. */
  persistence(): StoredState {
    return new StoredState(this);
  }
}
