/** Acknowledgements of clients that no message expects. */
import { clause } from "./clause.ts";
import { message, ping, receive, type Trial } from "./trial.ts";

const PROTOCOL_ERROR = 0x82;

clause(
  "acknowledgements of unknown identifiers harm nothing (4.3)",
  async (t) => {
    const client = await t.connect("reader");
    for (const cmd of ["puback", "pubcomp"] as const) {
      await client.send({ cmd, messageId: 77 });
    }
    await ping(client);
  },
);

clause(
  "an acknowledgement of another kind than the message needs closes (4.3)",
  async (t) => {
    const wrong = [
      [1, "pubrec"],
      [1, "pubcomp"],
      [2, "puback"],
      [2, "pubcomp"],
    ] as const;
    for (const [qos, cmd] of wrong) {
      const { reader, messageId } = await delivered(t, qos);
      await reader.send({ cmd, messageId });
      await t.closes(reader, PROTOCOL_ERROR);
    }
    const { reader, messageId } = await delivered(t, 2);
    await reader.send({ cmd: "pubrec", messageId });
    await receive(reader, "pubrel");
    await reader.send({ cmd: "puback", messageId });
    await t.closes(reader, PROTOCOL_ERROR);
  },
);

/** Delivers a message to a subscriber. */
async function delivered(t: Trial, qos: 1 | 2) {
  const reader = await t.connect("reader");
  await t.subscribe(reader, "kind", { qos });
  await t.publish(await t.connect("writer"), "kind", "x", { qos });
  const { messageId = 0 } = await message(reader);
  return { reader, messageId };
}
