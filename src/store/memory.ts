import type { Store } from "./store.ts";

/** A store that stores nothing: the map ends with the process. */
export class MemoryStore implements Store {
  readonly description = "memory:";
  readonly durable = false;

  load(): void {}

  commit(): void {}

  applied(): void {}

  close(): void {}
}
