/**
 * The load generator: a program of its own that has made all packets before it
 * is told to send them. Started and talked to by `loader.ts`.
 *
 * @module
 */
import { epoch } from "./clock.ts";
import { Asker } from "./asker.ts";
import type { LoadCommand, LoadOptions, LoadReport } from "./loader.ts";
import { RawClient } from "./mqtt.ts";
import { encodeLoad } from "./packets.ts";

/** Written at once, so that acknowledgements are seen in between. */
const WRITE_BYTES = 1 << 18;

const options: LoadOptions = JSON.parse(Deno.args[0]!);
const { port, window, pace, qos } = options;
const { bytes, starts } = encodeLoad(options);
using client = await RawClient.connect(port, `load-${Deno.pid}`);
const asker = new Asker(client, options.prefix, `load-${Deno.pid}`);
await asker.open();
let sent = 0;
say({ at: epoch() });

for await (const line of lines()) {
  const command: LoadCommand = JSON.parse(line);
  if (command.do === "send") await send(command.messages);
  else if (command.do === "ask") {
    await asker.cell(0, 0);
    say({ at: epoch() });
  } else {
    const { first, count } = command;
    const wrong = await asker.compare(options, first, count);
    say({ at: epoch(), wrong });
  }
}

/** Sends the next messages; done when all are written, and acknowledged at QoS 1. */
async function send(messages: number): Promise<void> {
  const end = sent + messages;
  const startedAt = epoch();
  const answered = asker.answered;
  let asked = 0;
  let nextAsk = pace === undefined ? Infinity : sent + pace.every;
  while (sent < end) {
    if (qos === 1) {
      await client.until(() => sent - client.acknowledged < window);
    }
    if (sent >= nextAsk) {
      nextAsk = sent + pace!.every;
      asked++;
      await asker.post();
      await client.until(() =>
        asked - (asker.answered - answered) < pace!.outstanding
      );
    }
    let to = sent + 1;
    const most = Math.min(
      end,
      nextAsk,
      qos === 1 ? client.acknowledged + window : end,
    );
    const limit = starts[sent]! + WRITE_BYTES;
    while (to < most && starts[to + 1]! <= limit) to++;
    await client.write(bytes.subarray(starts[sent], starts[to]));
    sent = to;
  }
  if (qos === 1) {
    await client.until(() => client.acknowledged >= sent);
  }
  say({ at: epoch(), startedAt });
}

function say(report: LoadReport): void {
  console.log(JSON.stringify(report));
}

async function* lines(): AsyncGenerator<string> {
  let rest = "";
  for await (
    const chunk of Deno.stdin.readable.pipeThrough(new TextDecoderStream())
  ) {
    const parts = (rest + chunk).split("\n");
    rest = parts.pop()!;
    yield* parts;
  }
}
