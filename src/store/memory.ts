import type { Store } from "./store.ts";

/** A store without storage: the map is lost at the end of the process. */
export class MemoryStore implements Store {
  readonly description = "memory:";
  readonly durable = false;

  load(): void {}

  commit(): void {}

  applied(): void {}

  close(): void {}
}
