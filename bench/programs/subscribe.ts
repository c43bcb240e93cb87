import mqtt from "mqtt";
import { options, reportReady } from "./marks.ts";

/** Subscribes with mqtt.js as its documentation shows. */
export async function subscribe(
  onMessage: (payload: Uint8Array) => void,
): Promise<void> {
  const { port, topic, qos } = options;
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`);
  client.on("message", (_topic, payload) => onMessage(payload));
  await client.subscribeAsync(topic, { qos });
  reportReady();
}
