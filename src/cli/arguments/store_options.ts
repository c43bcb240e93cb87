/** Options of a store, which several commands share. */
import { hideRedisLogin } from "../../store/redis/address.ts";
import { MAX_SHARDS } from "../../grid/mod.ts";
import type { FlagsOf, OptionSpec } from "./spec.ts";
import { parseStore } from "./address_values.ts";
import { parseRange } from "./number_values.ts";

const STORE = "Store";
const REDIS = "Store in Redis";

/** Maximum number of replicas that have to confirm. */
const MAX_REPLICAS = 16;

/** `--store`. */
export const STORE_OPTION = {
  name: "store",
  value: "address",
  summary:
    "where the map is stored: sqlite:PATH, memory:, or for several servers redis://HOST:PORT/PREFIX",
  unset: "a file in your data folder, named after --name",
  parse: parseStore,
  mask: hideRedisLogin,
  group: STORE,
} as const satisfies OptionSpec;

/** How to log in to Redis, and how to check its certificate. */
export const REDIS_ACCESS_OPTIONS = [
  {
    name: "redis-password-file",
    value: "file",
    summary: "file with the password, if the address has none",
    file: true,
    conflictsWith: ["redis-password"],
    conflictHint: "Use one of them.",
    group: REDIS,
  },
  {
    name: "redis-password",
    value: "password",
    summary:
      "the password; no flag, because all users of the machine can see a command line",
    settingOnly: true,
    mask: () => "***",
    group: REDIS,
  },
  {
    name: "redis-ca",
    value: "file",
    summary:
      "PEM file of the certificate authority to trust for TLS (rediss://)",
    file: true,
    group: REDIS,
  },
  {
    name: "redis-cert",
    value: "file",
    summary: "PEM file of the client certificate, if Redis requires one",
    file: true,
    group: REDIS,
  },
  {
    name: "redis-key",
    value: "file",
    summary: "PEM file of the private key of --redis-cert",
    file: true,
    group: REDIS,
  },
] as const satisfies readonly OptionSpec[];

/** How a server uses Redis. */
export const REDIS_OPTIONS = [
  {
    name: "redis-replicas",
    value: "n",
    summary:
      "how many replicas must have a reading before it is acknowledged, 0 to 16",
    unset: "1 if there are replicas, else 0",
    parse: (text) => parseRange(text, 0, MAX_REPLICAS),
    group: REDIS,
  },
  {
    name: "shards",
    value: "n",
    summary:
      "parts of a new map, 1 to 256; the number stays as it was when the map was made",
    unset: "that of the map, 16 for a new one",
    parse: (text) => parseRange(text, 1, MAX_SHARDS),
    group: REDIS,
  },
  ...REDIS_ACCESS_OPTIONS,
] as const satisfies readonly OptionSpec[];

/** Flags of {@linkcode REDIS_ACCESS_OPTIONS}. */
export type RedisAccessFlags = FlagsOf<typeof REDIS_ACCESS_OPTIONS>;
