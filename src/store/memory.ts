import type { Store } from "./store.ts";

/** Keeps nothing: the map lives as long as the process. For tests and trials. */
export class MemoryStore implements Store {
  readonly description = "memory:";
  readonly durable = false;

  load(): void {}

  commit(): void {}

  applied(): void {}

  close(): void {}
}
