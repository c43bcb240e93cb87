/**
 * A broker that only counts and acknowledges: what sockets and frames cost.
 *
 * @module
 */
import { serve } from "./bare_broker.ts";
import { countProcessed, options, reportReady } from "./marks.ts";

const { port, topic } = options;
const served = serve(port, {
  countedTopic: topic,
  onCounted: countProcessed,
});
reportReady();
await served;
