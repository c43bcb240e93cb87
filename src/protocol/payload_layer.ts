/**
 * The layer that a payload of readings names: that of its topic, or another.
 *
 * @module
 */

import type { ReadingBatch } from "./batch.ts";
import { ProtocolError } from "./errors.ts";
import { describeJson, quote } from "./text.ts";
import { assertLayer } from "./topics.ts";

/** What to do with a layer that a payload names. Without options: ignore it. */
export interface LayerOptions {
  /** The layer of the topic. A payload that names another one is refused. */
  readonly layer?: string | undefined;
  /** Returns the batch of a layer, instead of `layer`. */
  readonly batchOf?: ((layer: string) => ReadingBatch) | undefined;
}

/**
 * Returns the batch for readings whose payload names a layer.
 *
 * @param named the value of `layer` in the payload; undefined or null for none
 * @param batch the batch of readings without a layer
 * @param options what to do with a layer
 * @param source the sender, for the error
 * @throws {ProtocolError} "bad-layer" if it is not a name, or another layer
 */
export function batchOfLayer(
  named: unknown,
  batch: ReadingBatch,
  { layer, batchOf }: LayerOptions,
  source?: string,
): ReadingBatch {
  if (named === undefined || named === null || named === layer) return batch;
  if (layer === undefined && batchOf === undefined) return batch;
  const sender = source || undefined;
  if (typeof named !== "string") {
    throw new ProtocolError(
      "bad-layer",
      `layer is not a string: ${describeJson(named)}`,
      { source: sender },
    );
  }
  try {
    assertLayer(named);
  } catch (error) {
    const { code, message, hint } = error as ProtocolError;
    throw new ProtocolError(code, message, { hint, source: sender });
  }
  if (batchOf !== undefined) return batchOf(named);
  throw new ProtocolError(
    "bad-layer",
    `the payload names the layer ${quote(named)}, but was sent to ${
      quote(layer!)
    }`,
    {
      hint: "Send it to the layer that it names, or remove the name.",
      source: sender,
    },
  );
}
