/**
 * Random readings, edits of zones, restarts and kills, against the processes of
 * a server and a broker: after each burst every zone equals a recount from the
 * cells, and its events are possible.
 *
 * @module
 */
import assert from "node:assert/strict";
import { delay } from "../../../src/common/async.ts";
import { toFeature, type Zone } from "../../../src/zones/mod.ts";
import { isLoss } from "../../chaos/reconnect.ts";
import { randomIntegers } from "../../support/random.ts";
import type { BrokerKind } from "../../support/system.ts";
import { until } from "../../support/until.ts";
import { read } from "../support.ts";
import {
  type Cells,
  COLUMNS,
  countsOf,
  type Edit,
  edited,
  expectedCounts,
  LAYERS,
  type Random,
  randomEdit,
  randomZone,
  textOf,
  type Zones,
} from "./zone_model.ts";
import { ZonePublisher } from "./zone_publisher.ts";
import { ZoneServer } from "./zone_server.ts";
import { ZoneSubscriber } from "./zone_subscriber.ts";

/** Zones have shorter times of their own, or longer ones. */
const STALE_AFTER_MS = 1000;
const FORGET_AFTER_MS = 3000;
/** A state is right within this time, also while cells become stale. */
const SETTLE_DEADLINE_MS = 20_000;
/** Time from the start of the actions of a burst to a kill. */
const MAX_KILL_DELAY_MS = 30;

/** Where the zones are. */
export type Source = "store" | "file";

/** Options of {@linkcode runLive}. */
export interface LiveOptions {
  readonly broker: BrokerKind;
  readonly source: Source;
  readonly seed: number;
  /** The duration, ms. */
  readonly ms: number;
  /** Goes on until this number of states is compared. Default 0. */
  readonly compared?: number;
}

/** What a run has done. */
export interface LiveReport {
  readonly bursts: number;
  readonly readings: number;
  readonly edits: number;
  readonly restarts: number;
  readonly kills: number;
  /** States of zones that were compared with a recount. */
  readonly compared: number;
  /** Different events that arrived. */
  readonly events: number;
  /** Events that arrived again. */
  readonly duplicates: number;
}

/** @throws {Error} if anything is wrong */
export async function runLive(options: LiveOptions): Promise<LiveReport> {
  const random = randomIntegers(options.seed);
  const zones = new Map(
    [0, 1, 2, 3].map((i) => [`zone-${i}`, randomZone(`zone-${i}`, random)]),
  );
  await using server = await ZoneServer.start({
    broker: options.broker,
    staleAfter: STALE_AFTER_MS,
    forgetAfter: FORGET_AFTER_MS,
    ...(options.source === "file" && { zones: textOf(zones) }),
  });
  await using subscriber = await ZoneSubscriber.start(server.port);
  await using publisher = new ZonePublisher(server.port);
  const run = new LiveRun(options, { server, subscriber, publisher, random });
  await run.begin(zones);
  const end = performance.now() + options.ms;
  const { compared = 0 } = options;
  while (performance.now() < end || run.report.compared < compared) {
    await run.burst();
    await run.settle();
  }
  return run.report;
}

interface LiveParts {
  readonly server: ZoneServer;
  readonly subscriber: ZoneSubscriber;
  readonly publisher: ZonePublisher;
  readonly random: Random;
}

class LiveRun {
  readonly #options: LiveOptions;
  readonly #server: ZoneServer;
  readonly #subscriber: ZoneSubscriber;
  readonly #random: Random;
  readonly #publisher: ZonePublisher;
  #zones: Zones = new Map();
  /** Edits are sent one after the other. */
  #editing: Promise<void> = Promise.resolve();
  #bursts = 0;
  #readings = 0;
  #edits = 0;
  #restarts = 0;
  #kills = 0;
  #compared = 0;

  constructor(
    options: LiveOptions,
    { server, subscriber, publisher, random }: LiveParts,
  ) {
    this.#options = options;
    this.#server = server;
    this.#subscriber = subscriber;
    this.#random = random;
    this.#publisher = publisher;
  }

  get report(): LiveReport {
    const { events, duplicates } = this.#subscriber.history;
    return {
      bursts: this.#bursts,
      readings: this.#readings,
      edits: this.#edits,
      restarts: this.#restarts,
      kills: this.#kills,
      compared: this.#compared,
      ...{ events, duplicates },
    };
  }

  /** Puts the first zones in force. */
  async begin(zones: Zones): Promise<void> {
    if (this.#options.source === "file") this.#zones = zones;
    else await this.#edit({ kind: "replace", zones });
    await this.settle();
  }

  /** Does some actions at the same time, perhaps with a restart. */
  async burst(): Promise<void> {
    const random = this.#random;
    this.#bursts++;
    const actions: Promise<void>[] = [];
    const isRestart = random(4) === 0;
    for (let left = 1 + random(10); left > 0; left--) {
      actions.push(random(6) === 0 ? this.#enqueueEdit() : this.#publish());
      if (!isRestart && random(3) === 0) await delay(random(150));
    }
    if (isRestart) await this.#restart();
    await Promise.all(actions);
    // Cells become stale or unknown now and then, without readings.
    if (random(16) === 0) await delay(random(1.2 * FORGET_AFTER_MS));
  }

  async #restart(): Promise<void> {
    const isKill = this.#random(3) > 0;
    if (isKill) this.#kills++;
    else this.#restarts++;
    await delay(this.#random(MAX_KILL_DELAY_MS));
    await this.#server.restart(isKill ? "SIGKILL" : "SIGTERM");
  }

  /** Waits until all states are right, and checks all events. */
  async settle(): Promise<void> {
    assert.deepEqual(
      await this.#storedZones(),
      this.#zones,
      "the zones are those of the acknowledged edits",
    );
    let problem: unknown;
    await until(async () => {
      try {
        await this.#check();
        return true;
      } catch (error) {
        if (!(error instanceof assert.AssertionError)) throw error;
        problem = error;
      }
    }, {
      deadline: SETTLE_DEADLINE_MS,
      what: () => `the states: ${problem}\n${this.#server.log}`,
    });
    this.#compared += this.#zones.size;
  }

  /** @throws {AssertionError} if a state or an event is wrong, or missing */
  async #check(): Promise<void> {
    const { states } = this.#subscriber.history;
    const layers = await this.#cells();
    assert.deepEqual(
      [...states.keys()].sort(),
      [...this.#zones.keys()].sort(),
    );
    for (const zone of this.#zones.values()) {
      const state = states.get(zone.name)!;
      assert.deepEqual(
        countsOf(state),
        expectedCounts(zone, layers.get(zone.layer)!),
        zone.name,
      );
      assert.equal(state.title, zone.title ?? zone.name);
      assert.equal(state.capacity, zone.capacity);
      assert.equal(state.layer, zone.layer);
    }
    const { history } = this.#subscriber;
    assert.deepEqual(history.problems(), []);
    if (this.#kills === 0) {
      assert.equal(history.duplicates, 0, "without a crash: exactly once");
    }
    const { zones } = await this.#server.get("api/v1/zone-states");
    assert.deepEqual(
      zones,
      [...this.#zones.keys()].map((name) => states.get(name)),
      "the same over HTTP",
    );
  }

  async #cells(): Promise<ReadonlyMap<string, Cells>> {
    const layers = await Promise.all(LAYERS.map(async (layer) => {
      const query = `layer=${encodeURIComponent(layer)}`;
      return [layer, await this.#server.get(`api/v1/cells?${query}`)] as const;
    }));
    return new Map(layers);
  }

  async #storedZones(): Promise<Zones> {
    const { status, body } = await this.#server.send("api/v1/zones");
    assert.equal(status, 200, body);
    return new Map(read(body).map((zone) => [zone.name, zone]));
  }

  async #publish(): Promise<void> {
    const random = this.#random;
    const layer = LAYERS[random(LAYERS.length)]!;
    const now = Date.now();
    const cells = Array.from({ length: 1 + random(12) }, () => {
      const [x, y] = [random(COLUMNS), random(COLUMNS / 2)];
      const value = Math.max(-1, random(6) - 2);
      const age = random(3) === 0 ? random(1.5 * STALE_AFTER_MS) : undefined;
      return age === undefined ? [x, y, value] : [x, y, value, now - age];
    });
    this.#readings += cells.length;
    await this.#publisher.publish(
      `occupancy/data/${layer}`,
      JSON.stringify({ cells }),
    );
  }

  #enqueueEdit(): Promise<void> {
    return this.#editing = this.#editing.then(() => {
      const isFree = (name: string) =>
        !this.#subscriber.history.states.has(name);
      return this.#edit(randomEdit(this.#zones, this.#random, isFree));
    });
  }

  async #edit(edit: Edit): Promise<void> {
    this.#edits++;
    const after = edited(this.#zones, edit);
    if (this.#options.source === "store") await this.#editStored(edit, after);
    else {
      await this.#server.writeZones(textOf(after));
      // Sometimes before the server has noticed it.
      if (this.#random(2) === 0) this.#server.reload();
      await until(
        async () => {
          const stored = await this.#storedZones().catch(() => undefined);
          return stored !== undefined && isEqual(stored, after);
        },
        { what: "the zones of the file", deadline: SETTLE_DEADLINE_MS },
      );
      this.#zones = after;
    }
  }

  /** Without a response, either the old zones or the new ones are in force. */
  async #editStored(edit: Edit, after: Zones): Promise<void> {
    const before = this.#zones;
    if (await this.#send(edit)) {
      this.#zones = after;
      return;
    }
    const stored = await until(() =>
      this.#storedZones().catch(() => undefined)
    );
    const isAfter = isEqual(stored, after);
    assert.ok(isAfter || isEqual(stored, before), "all of an edit, or nothing");
    this.#zones = isAfter ? after : before;
  }

  /** @returns false if the server has not answered, or has done nothing */
  async #send(edit: Edit): Promise<boolean> {
    const { path, method, body } = requestOf(edit);
    const send = async (condition: Record<string, string>) => {
      const headers = { "content-type": "application/geo+json", ...condition };
      return await this.#server.send(path, {
        ...{ method, headers },
        ...(body !== undefined && { body }),
      });
    };
    try {
      const { status, etag } = await this.#server.send(path);
      // It starts or ends.
      if (status === 503) return false;
      if (this.#random(4) === 0) {
        const answer = await send({ "if-match": '"another"' });
        assert.ok([412, 503].includes(answer.status), answer.body);
      }
      const answer = await send(
        status === 404 ? { "if-none-match": "*" } : { "if-match": etag! },
      );
      if (answer.status === 503) return false;
      assert.ok(answer.status < 300, `${answer.status} ${answer.body}`);
      return true;
    } catch (error) {
      if (error instanceof TypeError || isLoss(error)) return false;
      throw error;
    }
  }
}

function requestOf(
  edit: Edit,
): { path: string; method: string; body?: string } {
  const path = "api/v1/zones";
  switch (edit.kind) {
    case "replace":
      return { path, method: "PUT", body: textOf(edit.zones) };
    case "delete":
      return { path: `${path}/${edit.name}`, method: "DELETE" };
    case "set": {
      const body = JSON.stringify(toFeature(edit.zone));
      return { path: `${path}/${edit.zone.name}`, method: "PUT", body };
    }
  }
}

function isEqual(a: Zones, b: Zones): boolean {
  const texts = (zones: Zones) =>
    [...zones.values()].map((zone: Zone) => JSON.stringify(toFeature(zone)))
      .sort();
  return JSON.stringify(texts(a)) === JSON.stringify(texts(b));
}
