/**
 * What a cluster does at present, and how it is shown. Pure.
 *
 * @module
 */
import {
  BOLD,
  Canvas,
  DIM,
  PLAIN,
  type Style,
} from "../../src/cli/terminal/map/mod.ts";
import { plural } from "../../src/common/plural.ts";
import { excerpt } from "../../src/common/printable.ts";
import { renderTable, type Table } from "../../src/cli/terminal/table.ts";

/** Longest reason that is shown, in UTF-16 code units. */
const MAX_STATE_LENGTH = 30;
/** The keys; a narrow terminal shows the last text. */
const KEYS = [
  "q quit · 1-9 kill or start a server · a-i a node of Redis · ? keys",
  "q quit · ? keys",
];

/** What one server does. */
export interface MemberStatus {
  readonly name: string;
  /** `ready`, `ended`, or why it is not ready. */
  readonly state: string;
  /** Age of the oldest journal entry that is not applied, in ms. */
  readonly lagMs?: number | undefined;
  /** Numbers of the shards whose lease it holds. */
  readonly leases?: readonly number[] | undefined;
  readonly messagesPerSecond?: number | undefined;
  readonly cells?: number | undefined;
  readonly memoryBytes?: number | undefined;
}

/** What one node of Redis does. */
export interface RedisStatus {
  readonly name: string;
  /** `master`, `replica of redis-1`, `ended`, `frozen` or `no answer`. */
  readonly role: string;
  /** Such as `0-5460`. */
  readonly slots: string;
  /** Bytes of the stream of replication. */
  readonly offset?: number | undefined;
  readonly memoryBytes?: number | undefined;
}

/** What one broker does. */
export interface BrokerStatus {
  readonly name: string;
  /** `running` or `ended`. */
  readonly state: string;
  readonly connections?: number | undefined;
  readonly messagesPerSecond?: number | undefined;
}

/** What a cluster does. */
export interface ClusterStatus {
  /** Since the start, in s. */
  readonly seconds: number;
  /** Dashboard of the first server. */
  readonly url: string;
  readonly members: readonly MemberStatus[];
  readonly redis: readonly RedisStatus[];
  readonly brokers: readonly BrokerStatus[];
  /** The last action of the user; undefined if there was none. */
  readonly notice?: string | undefined;
}

/** Returns the status as one line, for an output that is not a terminal. */
export function statusLine(status: ClusterStatus): string {
  const { members, redis, brokers } = status;
  const ready = members.filter(({ state }) => state === "ready").length;
  const lags = members.flatMap(({ lagMs }) => lagMs ?? []);
  const masters = redis.filter(({ role }) => role === "master").length;
  const replicas = redis.filter(({ role }) => role.startsWith("replica"));
  const others = members.filter(({ state }) => state !== "ready")
    .map(({ name, state }) => `${name}: ${excerpt(state, MAX_STATE_LENGTH)}`);
  return [
    `${Math.round(status.seconds)} s`,
    `${ready} of ${members.length} servers ready`,
    ...others,
    ...(lags.length > 0 ? [`lag ${Math.round(Math.max(...lags))} ms`] : []),
    `${number(sum(members, "messagesPerSecond"))} messages/s taken`,
    `Redis: ${plural(masters, "master")}, ${
      plural(replicas.length, "replica")
    }`,
    `${number(sum(brokers, "messagesPerSecond"))} messages/s through ${
      plural(brokers.length, "broker")
    }`,
  ].join(" · ");
}

/** Draws the status on a canvas of a size in characters. */
export function drawStatus(
  status: ClusterStatus,
  { width, height, notice }: {
    readonly width: number;
    readonly height: number;
    /** Shown in place of the keys. */
    readonly notice?: string | undefined;
  },
): Canvas {
  const tables = [
    [{
      text: `${status.url}  ·  ${Math.round(status.seconds)} s`,
      style: BOLD,
    }],
    tableLines(memberTable(status.members), width),
    tableLines(redisTable(status.redis), width),
    tableLines(brokerTable(status.brokers), width),
  ];
  const needed = tables.flat().length + 1;
  const isRoomy = height >= needed + tables.length - 1;
  const lines = tables.flatMap((table, i) =>
    isRoomy && i > 0 ? [{ text: "", style: PLAIN }, ...table] : table
  );
  const canvas = new Canvas(width, height);
  // The last line has the keys.
  lines.slice(0, height - 1).forEach(({ text, style }, row) =>
    canvas.write(0, row, [[text, style]])
  );
  const last = notice ?? status.notice;
  canvas.write(0, height - 1, [
    last === undefined
      ? [KEYS.find(({ length }) => length <= width) ?? KEYS.at(-1)!, DIM]
      : [last, BOLD],
  ]);
  return canvas;
}

function tableLines(
  table: Table,
  width: number,
): { text: string; style: Style }[] {
  const lines = renderTable(table, width, false).trimEnd().split("\n");
  return lines.map((text, i) => ({ text, style: i === 0 ? DIM : PLAIN }));
}

function memberTable(members: readonly MemberStatus[]): Table {
  return {
    head: ["server", "state", "lag", "leases", "msg/s", "cells", "memory"],
    rows: members.map((one) => [
      one.name,
      excerpt(one.state, MAX_STATE_LENGTH),
      one.lagMs === undefined ? "-" : `${number(one.lagMs)} ms`,
      one.leases === undefined ? "-" : ranges(one.leases),
      number(one.messagesPerSecond),
      number(one.cells),
      bytes(one.memoryBytes),
    ]),
    alignedRight: ["lag", "msg/s", "cells", "memory"],
    optional: ["cells", "memory", "msg/s"],
  };
}

function redisTable(nodes: readonly RedisStatus[]): Table {
  return {
    head: ["node", "role", "slots", "offset", "memory"],
    rows: nodes.map((one) => [
      one.name,
      one.role,
      one.slots,
      number(one.offset),
      bytes(one.memoryBytes),
    ]),
    alignedRight: ["offset", "memory"],
    optional: ["memory", "slots", "offset"],
  };
}

function brokerTable(brokers: readonly BrokerStatus[]): Table {
  return {
    head: ["broker", "state", "connections", "msg/s"],
    rows: brokers.map((one) => [
      one.name,
      one.state,
      number(one.connections),
      number(one.messagesPerSecond),
    ]),
    alignedRight: ["connections", "msg/s"],
    optional: ["connections"],
  };
}

/** Returns ascending numbers as ranges: `0-3 7`. */
export function ranges(numbers: readonly number[]): string {
  const parts: [number, number][] = [];
  for (const n of numbers) {
    const last = parts.at(-1);
    if (last?.[1] === n - 1) last[1] = n;
    else parts.push([n, n]);
  }
  return parts.map(([a, b]) => a === b ? `${a}` : `${a}-${b}`).join(" ") ||
    "none";
}

function number(value: number | undefined): string {
  return value === undefined ? "-" : Math.round(value).toLocaleString("en");
}

function bytes(value: number | undefined): string {
  return value === undefined ? "-" : `${number(value / 1e6)} MB`;
}

function sum<Key extends string>(
  items: readonly { readonly [key in Key]?: number | undefined }[],
  key: Key,
): number {
  return items.reduce((total, item) => total + (item[key] ?? 0), 0);
}
