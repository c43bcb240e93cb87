/** Closes connections of mqtt.js so that no timer of theirs is left. */
import { delay } from "../../src/common/async.ts";
import type { Link } from "../../src/mqtt/link.ts";

/** Closes a link, and waits for {@linkcode timersEnded}. */
export async function closeLink(link: Pick<Link, "close">): Promise<void> {
  await link.close();
  await timersEnded();
}

/**
 * Call after connections of mqtt.js were closed. It reads its store of messages
 * when it connects, and ends that with a timer of 1 ms: a test that ends earlier
 * would seem to leak it. Timers of one length run in order.
 */
export async function timersEnded(): Promise<void> {
  await delay(1);
}
