/**
 * The metrics of the webhooks. Of their addresses only the origin is shown: the
 * path of many is a secret.
 *
 * @module
 */
import type { WebhookStatus } from "../context.ts";
import type { ComputedMetric } from "./computed_metric.ts";

const LABELS = ["webhook", "origin"];

/** Metrics that only increase; none without webhooks. */
export function webhookCounters(
  webhooks: () => Iterable<WebhookStatus>,
): ComputedMetric[] {
  if ([...webhooks()].length === 0) return [];
  return [
    {
      name: "occupancy_webhook_events_total",
      help:
        "Events by webhook and outcome: sent; failed: the receiver refused them, or failed at them for 15 minutes; dropped: the queue was full.",
      labels: [...LABELS, "outcome"],
      *read() {
        for (const webhook of webhooks()) {
          for (const outcome of ["sent", "failed", "dropped"] as const) {
            yield [
              webhook.counts[outcome],
              { ...labelsOf(webhook), outcome },
            ];
          }
        }
      },
    },
    {
      name: "occupancy_webhook_retries_total",
      help: "Requests after the first one for an event, by webhook.",
      labels: LABELS,
      *read() {
        for (const webhook of webhooks()) {
          yield [webhook.counts.retries, labelsOf(webhook)];
        }
      },
    },
  ];
}

/** Metrics that increase and decrease; none without webhooks. */
export function webhookGauges(
  webhooks: () => Iterable<WebhookStatus>,
): ComputedMetric[] {
  if ([...webhooks()].length === 0) return [];
  return [{
    name: "occupancy_webhook_queued_events",
    help: "Events that wait, with the one that is being sent, by webhook.",
    labels: LABELS,
    *read() {
      for (const webhook of webhooks()) {
        yield [webhook.counts.queued, labelsOf(webhook)];
      }
    },
  }];
}

function labelsOf({ number, origin }: WebhookStatus): Record<string, string> {
  return { webhook: String(number), origin };
}
