/** The topics that a server has to itself. */

import { encodeState, type Topics } from "../protocol/mod.ts";

/** The filters that the link of a server must subscribe to. */
export function serverSubscriptions(topics: Topics, name: string): string[] {
  return [topics.dataFilter, topics.request, barrierTopic(topics, name)];
}

/** Those that it need not hear of later what was said while it was away. */
export function serverLiveSubscriptions(topics: Topics): string[] {
  return [topics.state];
}

/** What the broker publishes on the state topic if the server dies. */
export function offlineState(name: string, version: string): Uint8Array {
  return encodeState({ state: "offline", name, version });
}

/** Where a server sends itself the markers of its {@linkcode Barrier}. */
export function barrierTopic(topics: Topics, name: string): string {
  return `${topics.prefix}/server/barrier/${name}`;
}
