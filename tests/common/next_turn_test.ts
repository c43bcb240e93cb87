/** Work in turns does not keep sockets waiting. */
import assert from "node:assert/strict";
import { inTurns } from "../../src/common/turns.ts";
import { nextTurn, untilNextTurn } from "../../src/common/next_turn.ts";
import { needs } from "../support/needs.ts";

const ECHOES = 5;
/** With `setImmediate` one echo takes 61 turns or more. */
const MAX_STEPS = 300;

/** Returns how many bytes go there and back while a condition holds. */
async function countEchoes(goesOn: () => boolean): Promise<number> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepted = listener.accept();
  const { port } = listener.addr as Deno.NetAddr;
  using client = await Deno.connect({ hostname: "127.0.0.1", port });
  using server = await accepted;
  const bytes = new Uint8Array(1);
  const echo = async () => {
    while (await server.read(bytes) !== null) await server.write(bytes);
  };
  const echoing = echo();
  let count = 0;
  while (goesOn() && count < ECHOES) {
    await client.write(bytes);
    await client.read(bytes);
    count++;
  }
  await client.closeWrite();
  await echoing;
  return count;
}

/** Takes a millisecond. */
function work(): void {
  const start = performance.now();
  while (performance.now() - start < 1);
}

Deno.test({
  name: "nextTurn() lets sockets be read between two turns",
  ...needs(),
  fn: async () => {
    let steps = 0;
    const step = () => {
      work();
      if (++steps < MAX_STEPS) nextTurn(step);
    };
    step();
    assert.equal(await countEchoes(() => steps < MAX_STEPS), ECHOES);
    while (steps < MAX_STEPS) await untilNextTurn();
  },
});

Deno.test({
  name: "sockets are read between the turns of inTurns()",
  ...needs(),
  fn: async () => {
    let isDone = false;
    const done = inTurns(function* () {
      // 60 turns of 10 ms: with setImmediate one byte waits for so many
      for (let i = 0; i < 600; i++) {
        work();
        yield;
      }
      isDone = true;
    }());
    assert.equal(await countEchoes(() => !isDone), ECHOES);
    await done;
  },
});
