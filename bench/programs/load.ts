/**
 * The load generator. It encodes all packets first, then sends them when the
 * harness commands it. `harness/load_generator.ts` starts it.
 *
 * @module
 */
import type {
  LoadCommand,
  LoadOptions,
  LoadReport,
} from "../harness/load_generator.ts";
import { encodeLoad } from "../harness/packets.ts";
import { commands, epoch, report } from "../harness/program_io.ts";
import { RawClient } from "../harness/raw_client.ts";
import { RawRequester } from "../harness/raw_requester.ts";

/** Bytes in one write: acknowledgements are read between writes. */
const WRITE_BYTES = 1 << 18;

const options: LoadOptions = JSON.parse(Deno.args[0]!);
const { port, window, pace, qos, version } = options;
const { bytes, starts } = encodeLoad(options);
using client = await RawClient.connect(port, `load-${Deno.pid}`, version);
const requester = new RawRequester(client, options.prefix, `load-${Deno.pid}`);
await requester.open();
let sent = 0;
report({ at: epoch() } satisfies LoadReport);

for await (const command of commands<LoadCommand>()) {
  report(await execute(command));
}

async function execute(command: LoadCommand): Promise<LoadReport> {
  switch (command.do) {
    case "send":
      return await send(command.messages);
    case "request":
      await requester.requestCell(0, 0);
      return { at: epoch() };
    case "compare": {
      const { readings, count } = command;
      const wrong = await requester.compare(options, readings, count);
      return { at: epoch(), wrong };
    }
  }
}

/** Sends the next messages. At QoS 1, waits until all are acknowledged. */
async function send(messages: number): Promise<LoadReport> {
  const end = sent + messages;
  const startedAt = epoch();
  const replies = requester.replies;
  let requests = 0;
  let nextRequest = pace === undefined ? Infinity : sent + pace.every;
  while (sent < end) {
    if (qos === 1) {
      await client.until(() => sent - client.acknowledged < window);
    }
    if (sent >= nextRequest) {
      nextRequest = sent + pace!.every;
      requests++;
      await requester.postCell();
      await client.until(() =>
        requests - (requester.replies - replies) < pace!.outstanding
      );
    }
    let to = sent + 1;
    const max = Math.min(
      end,
      nextRequest,
      qos === 1 ? client.acknowledged + window : end,
    );
    const maxBytes = starts[sent]! + WRITE_BYTES;
    while (to < max && starts[to + 1]! <= maxBytes) to++;
    await client.write(bytes.subarray(starts[sent], starts[to]));
    sent = to;
  }
  if (qos === 1) {
    await client.until(() => client.acknowledged >= sent);
  }
  return { at: epoch(), startedAt };
}
