/**
 * Which layer the page shows, and what the server says of it and the others.
 *
 * @module
 */

import type { LayerStatus, StatusMessage } from "../../feed/messages.ts";
import type { Unit } from "../../protocol/display.ts";
import { titleOf } from "./layer_list.ts";

const DEFAULT_LAYER = "default";

/** The layer that the page shows. */
export class CurrentLayer {
  /** Undefined until the address or the server names one. */
  name: string | undefined;
  /** The last message of the server. */
  status: StatusMessage | undefined;

  /** The name; `default` before it is known. */
  get nameOrDefault(): string {
    return this.name ?? DEFAULT_LAYER;
  }

  /** The name, the title (safe to show), and what its values count. */
  get shown(): {
    readonly name: string;
    readonly title: string;
    readonly unit: Unit | undefined;
  } {
    const name = this.nameOrDefault;
    return { name, title: this.titleOf(name), unit: this.own?.display?.unit };
  }

  /** What the server says of the layer; undefined if it has no cells. */
  get own(): LayerStatus | undefined {
    return this.name === undefined ? undefined : this.of(this.name);
  }

  /** The layer to show if the address names none. */
  get first(): string {
    const layers = this.status?.layers ?? [];
    const layer = layers.find(({ name }) => name === DEFAULT_LAYER) ??
      layers[0];
    return layer?.name ?? DEFAULT_LAYER;
  }

  /** Returns what the server says of a layer. */
  of(name: string): LayerStatus | undefined {
    return this.status?.layers.find((layer) => layer.name === name);
  }

  /** Returns the title of a layer, safe to show. */
  titleOf(name: string): string {
    return titleOf(this.of(name) ?? { name });
  }
}
