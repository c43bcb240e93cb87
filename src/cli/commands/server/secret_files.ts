/** Warnings for files that other users of the machine can read or replace. */
import { redactUrl } from "../../../mqtt/url.ts";
import { hideRedisLogin } from "../../../store/redis/address.ts";
import { directoryOf, parseStoreAddress } from "../../../store/location.ts";
import { warnIfReadable } from "../../secret_files.ts";
import type { ServerFlags } from "./options.ts";

/**
 * Warns if all users can read the configuration file, and it contains the
 * password of the broker, of Redis or of a webhook.
 *
 * @param warn called with a line for the log
 */
export async function checkConfigFile(
  flags: Pick<
    ServerFlags,
    "config" | "broker" | "password" | "webhook" | "store" | "redisPassword"
  >,
  warn: (line: string) => void,
): Promise<void> {
  const { config, broker = [], password, webhook = [] } = flags;
  const { store, redisPassword } = flags;
  if (config === undefined) return;
  const ofBroker = [
    ...broker.filter((one) => redactUrl(one) !== one),
    ...(password !== undefined ? [password] : []),
  ];
  const ofWebhooks = webhook
    .filter(({ authorization }) => authorization !== undefined)
    .map(({ origin }) => `@${new URL(origin).host}`);
  const ofRedis = [
    ...(store !== undefined && hideRedisLogin(store) !== store ? [store] : []),
    ...(redisPassword !== undefined ? [redisPassword] : []),
  ];
  if (ofBroker.length + ofWebhooks.length + ofRedis.length === 0) return;
  const text = await Deno.readTextFile(config);
  const contains = (secret: string) => text.includes(secret);
  if (ofBroker.some(contains)) {
    await warnIfReadable(config, "password of the broker", warn);
  } else if (ofRedis.some(contains)) {
    await warnIfReadable(config, "password of Redis", warn);
  } else if (ofWebhooks.some(contains)) {
    await warnIfReadable(config, "password of a webhook", warn);
  }
}

/**
 * Warns if other users of the machine can read the map, or can put files and
 * links into the folder of the store. What the server creates is safe.
 *
 * @param address of the store; its file and folder need not exist
 * @param warn called with a line for the log
 */
export async function checkStoreFile(
  address: string,
  warn: (line: string) => void,
): Promise<void> {
  const location = parseStoreAddress(address, undefined);
  if (location.kind !== "sqlite") return;
  const { path } = location;
  const folder = directoryOf(path);
  const modeOf = (path: string) =>
    Deno.stat(path).then(
      ({ mode }) => mode ?? 0, // null on Windows
      () => 0, // does not exist, or the store reports why it cannot be used
    );
  const mode = await modeOf(folder);
  if ((mode & 0o002) !== 0) {
    warn(
      `All users of this machine can write to the folder of the store, ${folder}. Use a folder of its own, or protect this one: chmod o-w ${folder}`,
    );
  }
  if ((mode & 0o001) !== 0 && (await modeOf(path) & 0o004) !== 0) {
    warn(
      `All users of this machine can read the map in ${path}. Protect it: chmod 600 ${path}`,
    );
  }
}
