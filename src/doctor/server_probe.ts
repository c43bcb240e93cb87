import {
  encodeRequest,
  parseReply,
  parseState,
  type ServerState,
} from "../protocol/mod.ts";
import type { Examination } from "./examination.ts";

/** How long signs of servers are waited for, ms. */
const WATCHED = 1500;

/** What servers under a prefix show of themselves. */
export interface ServerSigns {
  /** What the state topic said, the retained message first. */
  readonly states: readonly ServerState[];
  /** Answers to one question: more than one says that several answer. */
  readonly replies: readonly ServerReply[];
}

/** One answer. */
export interface ServerReply {
  /** The server's clock, ms since 1970. */
  readonly time: number;
  /** This machine's clock halfway between question and answer, ms since 1970. */
  readonly expected: number;
  /** How far `expected` may be off: half of the way there and back, ms. */
  readonly uncertainty: number;
}

/** Listens for a while, and asks for one cell. */
export async function watchServer(
  examination: Examination,
): Promise<ServerSigns | undefined> {
  if (await examination.probe() === undefined) return undefined;
  const { topics, timeout } = examination.options;
  const states: ServerState[] = [];
  const replies: ServerReply[] = [];
  const replyTo = topics.responseFor(examination.id);
  let askedAt = NaN;
  const probe = await examination.open("server", {
    message: ({ topic, payload, at }) => {
      try {
        if (topic === topics.state) states.push(parseState(payload));
        else {
          const reply = parseReply(payload);
          if (reply.transaction !== examination.id) return;
          if (reply.status !== "ok") return;
          const half = (at - askedAt) / 2;
          const expected = askedAt + half;
          replies.push({ time: reply.time, expected, uncertainty: half });
        }
      } catch {
        // Somebody else's message.
      }
    },
  });
  await probe.subscribe(topics.state, 0);
  await probe.subscribe(replyTo, 1);
  await probe.settle();
  askedAt = Date.now();
  await probe.publish(
    topics.request,
    encodeRequest({
      transaction: examination.id,
      region: { x0: 0, y0: 0, x1: 0, y1: 0 },
      replyTo,
    }),
  );
  const wait = Math.min(WATCHED, timeout / 2);
  await new Promise((resolve) => setTimeout(resolve, wait));
  return { states, replies };
}
