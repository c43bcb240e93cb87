/**
 * Judges the settings of Redis for a store that several servers share.
 *
 * @module
 */
import { plural } from "../common/plural.ts";
import { printable } from "../common/printable.ts";
import { MAX_CLOCK_DIFFERENCE_MS } from "../store/redis/clock_watch.ts";
import { SLOTS } from "../store/redis/key_slot.ts";
import { COPY_FORMAT, FORMAT, parseShards } from "../store/redis/keyspace.ts";
import { StoreError } from "../store/store.ts";
import { type Finding, finding } from "./finding.ts";
import type { KeyspaceFacts, MasterFacts } from "./redis_facts.ts";

/** Flags of scripts, and what XINFO STREAM says (redis.io/commands). */
const MIN_VERSION = [7, 0] as const;
/** Less free memory than this share of maxmemory is a warning. */
const MIN_FREE_SHARE = 0.2;
const MIB = 1024 * 1024;

/** Judges a property of a master. */
export type MasterJudge = (
  master: MasterFacts,
  wantedReplicas: number | undefined,
) => Finding;

/** All properties of a master, in the order in which they are printed. */
export const MASTER_JUDGES: readonly MasterJudge[] = [
  judgeVersion,
  judgeReplicas,
  judgePersistence,
  judgeMemory,
  judgeClock,
];

function judgeVersion({ address, info }: MasterFacts): Finding {
  const version = printable(info.get("redis_version") ?? "");
  const parts = version.split(".").map(Number);
  const [major, minor] = MIN_VERSION;
  const isTooOld = (parts[0] ?? 0) < major ||
    (parts[0] === major && (parts[1] ?? 0) < minor);
  const message = `Redis ${version} at ${address}`;
  const data = { address, version };
  return isTooOld
    ? finding("error", `${message} is too old`, {
      hint: "Use Redis 7.0 or later.",
      data,
    })
    : finding("ok", message, { data });
}

function judgeReplicas(
  { address, info }: MasterFacts,
  wanted: number | undefined,
): Finding {
  const states = [...info].filter(([field]) => /^slave\d+$/.test(field))
    .map(([, value]) => /state=(\w+)/.exec(value)?.[1]);
  const online = states.filter((state) => state === "online").length;
  const data = { address, replicas: states.length, online };
  const has = `${address} has ${plural(online, "replica")}`;
  if (wanted !== undefined && online < wanted) {
    return finding(
      "error",
      `${has} online, --redis-replicas ${wanted} needs ${wanted}: nothing would be acknowledged`,
      { hint: "Start replicas, or set a smaller --redis-replicas.", data },
    );
  }
  if (online < states.length) {
    return finding(
      "warning",
      `${has} online, ${states.length - online} more are not in sync`,
      { hint: `See the log of the replicas of ${address}.`, data },
    );
  }
  if (online === 0) {
    return finding(
      "warning",
      `${has}: if its machine fails, acknowledged readings are lost`,
      { hint: "Add two replicas (docs/SCALING.md).", data },
    );
  }
  if (online === 1 && wanted !== 0) {
    return finding(
      "warning",
      `${has}: after the failure of either, nothing is acknowledged until the other is back`,
      { hint: "Add a second replica.", data },
    );
  }
  return finding("ok", `${has}, all in sync`, { data });
}

function judgePersistence({ address, info, settings }: MasterFacts): Finding {
  const aof = info.get("aof_enabled") === "1";
  const fsync = settings.get("appendfsync");
  const snapshots = settings.get("save");
  const data = {
    address,
    appendonly: aof,
    ...(fsync !== undefined && { appendfsync: fsync }),
  };
  const failed = ["aof_last_write_status", "rdb_last_bgsave_status"]
    .find((field) => (info.get(field) ?? "ok") !== "ok");
  if (failed !== undefined) {
    return finding("error", `${address} cannot write to its disk (${failed})`, {
      hint: "Check the disk of Redis and its log.",
      data,
    });
  }
  const hint =
    "Set appendonly yes and appendfsync everysec in Redis (docs/SCALING.md).";
  if (!aof) {
    return finding(
      "warning",
      snapshots === ""
        ? `${address} stores nothing on its disk: the map is lost when all its servers stop`
        : `${address} has no append-only file: the readings since its last snapshot are lost when all its servers stop`,
      { hint, data },
    );
  }
  if (fsync === "no") {
    return finding(
      "warning",
      `${address} leaves it to the system when its append-only file reaches the disk (appendfsync no)`,
      { hint, data },
    );
  }
  if (fsync === undefined) {
    return finding(
      "unknown",
      `${address} has an append-only file; when it reaches the disk cannot be read`,
      { hint: "Permit CONFIG GET, or check appendfsync in Redis.", data },
    );
  }
  const hasReplicas = [...info.keys()].some((field) => /^slave\d/.test(field));
  if (fsync !== "always" && !hasReplicas) {
    return finding(
      "warning",
      `${address} writes to its disk once a second and has no replicas: a power failure loses acknowledged readings of about a second`,
      { hint: "Add replicas, or set appendfsync always in Redis.", data },
    );
  }
  return finding(
    "ok",
    `${address} has an append-only file (appendfsync ${printable(fsync)})`,
    { data },
  );
}

function judgeMemory({ address, info }: MasterFacts): Finding {
  const used = Number(info.get("used_memory"));
  const limit = Number(info.get("maxmemory"));
  const policy = printable(info.get("maxmemory_policy") ?? "");
  const data = { address, usedBytes: used, maxBytes: limit, policy };
  if (policy !== "noeviction") {
    return finding(
      limit > 0 ? "error" : "warning",
      `${address} ${
        limit > 0 ? "deletes" : "would delete"
      } keys when its memory is full (maxmemory-policy ${policy}): that destroys the map`,
      { hint: "Set maxmemory-policy noeviction in Redis.", data },
    );
  }
  const mib = (bytes: number) => `${Math.floor(bytes / MIB)} MiB`;
  if (limit === 0) {
    return finding(
      "warning",
      `${address} uses ${
        mib(used)
      } and has no limit: the system ends it when the machine has no memory left`,
      {
        hint:
          "Set maxmemory in Redis to about 60 % of the machine's memory (docs/SCALING.md).",
        data,
      },
    );
  }
  const free = Math.max(0, limit - used);
  const message = `${address} uses ${mib(used)} of ${mib(limit)}`;
  if (free === 0) {
    return finding("error", `${message}: nothing more can be stored`, {
      hint: "Raise maxmemory. A layer can be deleted only after that.",
      data,
    });
  }
  return free < MIN_FREE_SHARE * limit
    ? finding("warning", `${message}: little is left`, {
      hint: "Raise maxmemory, or delete layers.",
      data,
    })
    : finding("ok", `${message} (noeviction)`, { data });
}

function judgeClock({ address, clock }: MasterFacts): Finding {
  const ahead = Math.round(clock.ahead);
  const error = Math.ceil(clock.uncertainty);
  const data = { address, aheadMs: ahead, uncertaintyMs: error };
  const how = `measured with one request, ± ${error} ms`;
  if (Math.abs(ahead) - error <= MAX_CLOCK_DIFFERENCE_MS) {
    return finding(
      "ok",
      `The clock of ${address} differs by ${Math.abs(ahead)} ms (${how})`,
      { data },
    );
  }
  return finding(
    "warning",
    `The clock of ${address} is ${(Math.abs(ahead) / 1000).toFixed(1)} s ${
      ahead > 0 ? "ahead" : "behind"
    } (${how})`,
    { hint: "Synchronize both machines with NTP (chrony).", data },
  );
}

/**
 * Judges what is stored, against `--shards`.
 *
 * @param name of this server
 * @param wanted `--shards`; undefined if not set
 */
export function judgeKeyspace(
  { format, shards, members }: KeyspaceFacts,
  store: string,
  name: string,
  wanted: number | undefined,
): Finding[] {
  if (format === undefined) {
    return [
      finding("ok", `There is no map in ${store} yet: a server makes it`),
    ];
  }
  if (format === COPY_FORMAT) {
    return [
      finding("error", `A copy of a map into ${store} is not complete`, {
        hint:
          "Wait until occupancy store copy has ended. If it was interrupted, run it again.",
      }),
    ];
  }
  if (format !== FORMAT) {
    return [
      finding(
        "error",
        `The map in ${store} has format ${format}, this version of occupancy knows format ${FORMAT}`,
        {
          hint:
            "Use the version of the other servers, or another prefix: redis://HOST:PORT/PREFIX.",
        },
      ),
    ];
  }
  const problem = shardsProblem(shards ?? "", store);
  if (problem !== undefined) return [problem];
  if (wanted !== undefined && shards !== `${wanted}`) {
    return [
      finding(
        "error",
        `The map in ${store} has ${shards} shards, not ${wanted}`,
        { hint: `Set --shards ${shards}, or remove it.` },
      ),
    ];
  }
  const names = members.map(printable);
  const list = names.length === 0 ? "no server runs" : names.join(", ");
  const found = [
    finding("ok", `The map in ${store} has ${shards} shards; ${list}`, {
      data: { shards: Number(shards), members: names.length },
    }),
  ];
  if (members.includes(name)) {
    found.push(
      finding(
        "ok",
        `A server named ${
          printable(name)
        } runs: a second one with this name would not start`,
      ),
    );
  }
  return found;
}

/** Returns what a server would say about the number of shards. */
function shardsProblem(shards: string, store: string): Finding | undefined {
  try {
    parseShards(shards, store);
    return undefined;
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    const { message, hint } = error;
    return finding("error", message, hint === undefined ? {} : { hint });
  }
}

/** Judges the state of a cluster, from CLUSTER INFO. */
export function judgeCluster(state: ReadonlyMap<string, string>): Finding {
  const ok = Number(state.get("cluster_slots_ok"));
  const is = printable(state.get("cluster_state") ?? "");
  const nodes = Number(state.get("cluster_known_nodes"));
  const data = { state: is, slots: ok, nodes };
  if (is === "ok" && ok === SLOTS) {
    return finding(
      "ok",
      `The cluster serves all slots (${plural(nodes, "node")})`,
      { data },
    );
  }
  return finding(
    "error",
    `The cluster is in state ${is} and serves ${ok} of ${SLOTS} slots`,
    { hint: "redis-cli --cluster check HOST:PORT shows what is wrong.", data },
  );
}

/** Judges the rights of the user, from `forbiddenCommands`. */
export function judgeRights(forbidden: readonly string[] | undefined): Finding {
  if (forbidden === undefined) {
    return finding(
      "unknown",
      "Cannot check what the user may do: MULTI is not permitted",
      { hint: "docs/SECURITY.md has the rights that a server needs." },
    );
  }
  return forbidden.length === 0
    ? finding("ok", "The user may do what a server needs")
    : finding("error", `The user may not send ${forbidden.join(", ")}`, {
      hint:
        "Give it these rights with ACL SETUSER: docs/SECURITY.md has the whole line.",
    });
}
