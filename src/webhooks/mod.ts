/**
 * Webhooks: events as HTTP requests to other programs.
 *
 * @module
 */
export { parseWebhook, redactWebhook, type WebhookAddress } from "./address.ts";
export type { WebhookCounts } from "./delivery.ts";
export { WebhookSecret } from "./signature.ts";
export {
  type WebhookLog,
  Webhooks,
  type WebhooksOptions,
  type WebhookStatus,
} from "./webhooks.ts";
