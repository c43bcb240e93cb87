/// <reference lib="dom" />
/**
 * Loads the editor of zones when it is opened first: most people who look at
 * the page never edit.
 *
 * @module
 */

import { messageOf } from "../../common/errors.ts";
import type { LayerStatus, StatusMessage } from "../../feed/messages.ts";
import { announce, el } from "../elements/dom.ts";
import type { MapView } from "../map/map_view.ts";
import type { ZoneEditor } from "./editor/zone_editor.ts";
import type { ZonesView } from "./zones_view.ts";

/** Time for which a problem is shown, ms. */
const PROBLEM_MS = 15_000;

/** The layer that the page shows. */
export interface ShownLayer {
  readonly nameOrDefault: string;
  /** What the server says of it. */
  readonly own: LayerStatus | undefined;
  /** What the server says of all layers. */
  readonly status: StatusMessage | undefined;
}

/** Opens the editor. */
export class EditorOpener {
  readonly #map: MapView;
  readonly #zones: ZonesView;
  readonly #layer: ShownLayer;
  readonly #preferences: { readonly letterKeys: boolean };
  readonly #load: () => Promise<{ ZoneEditor: typeof ZoneEditor }>;
  #editor: ZoneEditor | undefined;
  #isOpening = false;

  /**
   * @param preferences whether single letters are shortcuts
   * @param load loads the editor
   */
  constructor(
    map: MapView,
    zones: ZonesView,
    layer: ShownLayer,
    preferences: { readonly letterKeys: boolean },
    load: () => Promise<{ ZoneEditor: typeof ZoneEditor }>,
  ) {
    this.#map = map;
    this.#zones = zones;
    this.#layer = layer;
    this.#preferences = preferences;
    this.#load = load;
    // A screen on a wall is only looked at.
    if (document.body.classList.contains("kiosk")) return;
    zones.openEditor = (name) => void this.#open(name);
    zones.onShowLayer = () => this.#editor?.onLayer();
  }

  /** @param name of the zone to edit; undefined: of none */
  async #open(name: string | undefined): Promise<void> {
    if (this.#isOpening || this.#editor !== undefined) return;
    this.#isOpening = true;
    const zones = this.#zones;
    const layer = this.#layer;
    try {
      const { ZoneEditor } = await this.#load();
      this.#setEditing(true);
      this.#editor = await ZoneEditor.open({
        map: this.#map,
        store: zones.store,
        layer: () => ({
          name: layer.nameOrDefault,
          unit: layer.own?.display?.unit,
        }),
        layers: () => layer.status?.layers.map(({ name }) => name) ?? [],
        letterKeys: () => this.#preferences.letterKeys,
        onClose: (selected) => {
          this.#editor = undefined;
          this.#setEditing(false);
          zones.select(
            selected !== undefined && zones.store.states.has(selected)
              ? selected
              : undefined,
            false,
          );
        },
      }, { zone: name });
    } catch (error) {
      this.#setEditing(false);
      showProblem(error);
    } finally {
      this.#isOpening = false;
    }
  }

  /** Hides what the editor shows itself. */
  #setEditing(isEditing: boolean): void {
    this.#map.editing = isEditing;
    this.#zones.hidden = isEditing;
  }
}

/** A new version of the server has other files than those of this page. */
function showProblem(error: unknown): void {
  const text = `The zone editor cannot be opened: ${
    messageOf(error)
  }. Reload the page, and try again.`;
  const notice = el("p", { class: "notice", role: "alert" }, text);
  document.querySelector(".map-panel")!.append(notice);
  setTimeout(() => notice.remove(), PROBLEM_MS);
  announce(text);
}
