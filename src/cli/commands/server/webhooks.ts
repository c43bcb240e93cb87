/** Sends the events of `occupancy server` to its webhooks. */
import type { LimitCounts } from "../../../common/limit_counts.ts";
import type { Topics } from "../../../protocol/mod.ts";
import type { Server } from "../../../server/mod.ts";
import type { Webhooks, WebhookSecret } from "../../../webhooks/mod.ts";
import { usageError } from "../../errors.ts";
import { readText } from "../../files.ts";
import { warnIfReadable } from "../../secret_files.ts";
import { VERSION } from "../../version.ts";
import type { ServerFlags } from "./options.ts";
import type { ServerLog } from "./server_log.ts";

/**
 * Opens the webhooks. They send nothing by themselves, see
 * {@linkcode sendEvents}.
 *
 * @param limited counts events that full queues have lost
 * @returns undefined without `--webhook`
 * @throws {AppError} if the options do not fit together, or the file of the
 * secret is unusable
 */
export async function openWebhooks(
  { webhook: addresses = [], webhookSecretFile }: Pick<
    ServerFlags,
    "webhook" | "webhookSecretFile"
  >,
  log: Pick<ServerLog, "info" | "warn" | "warnLimited">,
  limited: LimitCounts,
): Promise<Webhooks | undefined> {
  const urls = new Set<string>();
  for (const { url, origin } of addresses) {
    if (urls.has(url)) {
      throw usageError(
        `Cannot use --webhook with the same address of ${origin} twice`,
        "Remove one of them: each address receives all events.",
      );
    }
    urls.add(url);
  }
  if (addresses.length === 0) {
    if (webhookSecretFile === undefined) return undefined;
    throw usageError(
      "Cannot use --webhook-secret-file without --webhook",
      "Add --webhook URL, or remove --webhook-secret-file.",
    );
  }
  const secret = webhookSecretFile === undefined
    ? undefined
    : await readWebhookSecret(webhookSecretFile, log.warn);
  const { Webhooks } = await import("../../../webhooks/mod.ts");
  const onDropped = () => limited.add("webhook-queue");
  return new Webhooks({ addresses, version: VERSION, secret, log, onDropped });
}

/**
 * Reads the secret that signs requests.
 *
 * @param warn called with a line if other users can read the file
 * @throws {AppError} if the file cannot be read, or is not a secret
 */
export async function readWebhookSecret(
  path: string,
  warn: (line: string) => void,
): Promise<WebhookSecret> {
  const text = (await readText(path)).trim();
  await warnIfReadable(path, "secret of the webhooks", warn);
  const { WebhookSecret } = await import("../../../webhooks/mod.ts");
  try {
    return new WebhookSecret(text);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw usageError(
      `Cannot read a secret from ${path}: ${error.message}`,
      "Create one: echo whsec_$(openssl rand -base64 32) > secret; chmod 600 secret",
      error,
    );
  }
}

/**
 * Sends the events of zones and sources from now on, with the content that they
 * have on MQTT. Of the servers of a shared store, only the leader sends.
 */
export function sendEvents(
  webhooks: Webhooks,
  { zones, sources }: Pick<Server, "zones" | "sources">,
  topics: Topics,
): void {
  zones.observe({
    onUpdate({ changes }) {
      if (!zones.isLeading) return;
      for (const { events } of changes) {
        for (const event of events) {
          webhooks.send(topics.zoneEvent(event.zone), event);
        }
      }
    },
  });
  sources.observe((event) =>
    webhooks.send(topics.sourceEvent(event.source), event)
  );
}
