/**
 * Three servers in one group write readings out of order, with equal times and
 * duplicates: their maps and a model are equal cell by cell, with revisions.
 */
import assert from "node:assert/strict";
import { parseMetrics, total } from "../../tools/cluster/metrics.ts";
import { Lab } from "../../tools/cluster/lab.ts";
import { differences, layerOfModel, readLayer } from "../chaos/cluster/maps.ts";
import { Publisher } from "../chaos/publisher.ts";
import type { Message, Planned } from "../chaos/workload.ts";
import type { Model } from "../grid/model.ts";
import { needs } from "../support/needs.ts";
import { randomIntegers } from "../support/random.ts";
import { until } from "../support/until.ts";
import { JournalRecorder } from "./journal_model.ts";

const LAYERS = ["hall", "yard", "roof", "dock"];
const MESSAGES = 4000;
const MAX_READINGS = 10;
/** Few cells and few times: many readings of one cell, and of one time. */
const SIDE_CELLS = 12;
const TIMES = 20;
/** Revisions at which the changes since are compared. */
const SINCE_STEPS = 5;

interface Sent extends Message {
  readonly layer: string;
}

Deno.test({
  name:
    "three writers in one group: readings out of order, equal times, duplicates: all maps and a model are equal, revisions too",
  ...needs("redis-server", "redis-cli", "mosquitto"),
  fn: async () => {
    const seed = crypto.getRandomValues(new Int32Array(1))[0]!;
    const messages = plan(randomIntegers(seed), Date.now() - 60_000);
    await using lab = await Lab.start();
    await using journals = await JournalRecorder.start(lab.store);
    // Two publishers on each broker.
    await Promise.all([0, 1, 2, 3].map((i) =>
      new Publisher({
        port: lab.brokers[i % 2]!.port,
        clientId: `writer-${i}`,
        messages: messages.filter((_, at) => at % 4 === i),
        beforeSending: () => Promise.resolve(),
      }).run()
    ));
    const taken = await until(async () => {
      const counts = await Promise.all(lab.members.map(messagesOf));
      return counts.reduce((a, b) => a + b) >= MESSAGES && counts;
    });
    assert.ok(taken.every((count) => count > 0), `each writes: ${taken}`);
    let different: string[] = [];
    await until(async () => {
      different = await compare(lab, await journals.models());
      return different.length === 0;
    }, {
      what: () => `seed ${seed}: ${different.slice(0, 10).join("\n")}`,
    });
    await checkCells(lab, messages);
  },
});

/** Plans messages, some of them twice. */
function plan(below: (n: number) => number, start: number): Sent[] {
  const messages: Sent[] = [];
  while (messages.length < MESSAGES) {
    if (messages.length > 0 && below(5) === 0) {
      messages.push(messages[below(messages.length)]!);
      continue;
    }
    const readings = Array.from({ length: 1 + below(MAX_READINGS) }, () => ({
      x: below(SIDE_CELLS),
      y: below(SIDE_CELLS),
      value: below(1000),
      ...(below(10) > 0 && { time: start + below(TIMES) }),
    }));
    const layer = LAYERS[below(LAYERS.length)]!;
    messages.push({
      ...{ layer, readings, topic: `occupancy/data/${layer}` },
      payload: readings.map(({ x, y, value, time }) =>
        [x, y, value, ...(time === undefined ? [] : [time])].join()
      ).join("\n"),
    });
  }
  return messages;
}

/** Returns how many messages a server has taken. */
async function messagesOf({ url }: { readonly url: string }): Promise<number> {
  const text = await (await fetch(`${url}metrics`)).text();
  return total(parseMetrics(text), "occupancy_messages_total") ?? 0;
}

/** Compares each server with the model, and changes since some revisions. */
async function compare(
  { members }: Lab,
  models: readonly Model[],
): Promise<string[]> {
  const found: string[] = [];
  for (const layer of LAYERS) {
    const { revision } = layerOfModel(models, layer);
    for (let step = 0; step < SINCE_STEPS; step++) {
      const since = Math.floor(revision * step / SINCE_STEPS);
      const expected = layerOfModel(models, layer, since);
      for (const { name, url } of members) {
        const shown = await readLayer(url, layer, since);
        found.push(
          ...differences(shown, expected, `${layer} of ${name} since ${since}`),
        );
      }
    }
  }
  return found;
}

/** The latest time wins; of equal times, one of them. */
async function checkCells(lab: Lab, messages: readonly Sent[]): Promise<void> {
  for (const layer of LAYERS) {
    const sent = new Map<string, Planned[]>();
    for (const message of messages) {
      if (message.layer !== layer) continue;
      for (const reading of message.readings) {
        const cell = `${reading.x},${reading.y}`;
        sent.set(cell, [...sent.get(cell) ?? [], reading]);
      }
    }
    const { cells } = await readLayer(lab.members[0]!.url, layer);
    assert.equal(cells.size, sent.size);
    for (const [cell, readings] of sent) {
      // Without a time, it has that of its arrival.
      const timeOf = ({ time = Infinity }: Planned) => time;
      const latest = Math.max(...readings.map(timeOf));
      const values = readings.filter((one) => timeOf(one) === latest)
        .map(({ value }) => value);
      const [value, time] = cells.get(cell)!;
      assert.ok(values.includes(value), `${cell}=${value}, not ${values}`);
      if (latest < Infinity) assert.equal(time, latest, cell);
    }
  }
}
