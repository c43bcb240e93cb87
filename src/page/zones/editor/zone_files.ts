/// <reference lib="dom" />
/**
 * Zones from files and to files: a file that is chosen or dropped on the page,
 * and a download.
 *
 * @module
 */

import { messageOf } from "../../../common/errors.ts";
import { ZoneError } from "../../../zones/errors.ts";
import { DEFAULT_ZONE_LIMITS } from "../../../zones/limits.ts";
import { writeZones } from "../../../zones/write_geojson.ts";
import type { Zone } from "../../../zones/zone.ts";
import { el } from "../../elements/dom.ts";
import { saveFile } from "../../elements/save_file.ts";
import { type Draft, zoneOf } from "./draft.ts";
import { readFile } from "./zones_api.ts";

const ACCEPTED = ".geojson,.json,application/geo+json,application/json";
/** Receives files. */
export interface ZoneFileEvents {
  /** Called with the zones of a file. */
  onZones(zones: readonly Zone[]): void;
  /** Called with the reason why a file cannot be used, in sentences. */
  onProblem(text: string): void;
}

/** Receives zones of files. */
export class ZoneFiles {
  readonly #events: ZoneFileEvents;
  readonly #input = el("input", {
    type: "file",
    accept: ACCEPTED,
    hidden: true,
    "aria-label": "GeoJSON file",
  });

  constructor(events: ZoneFileEvents) {
    this.#events = events;
    this.#input.addEventListener("change", () => {
      const [file] = this.#input.files ?? [];
      if (file) void this.#read(file);
      // The same file can be chosen again.
      this.#input.value = "";
    });
    document.body.append(this.#input);
    document.addEventListener("dragover", this.#onDragOver);
    document.addEventListener("drop", this.#onDrop);
  }

  /** Opens the browser's dialog for files. */
  choose(): void {
    this.#input.click();
  }

  /** Stops receiving files. */
  dispose(): void {
    this.#input.remove();
    document.removeEventListener("dragover", this.#onDragOver);
    document.removeEventListener("drop", this.#onDrop);
  }

  readonly #onDragOver = (event: DragEvent): void => {
    // Otherwise the browser would open the file instead of the page.
    if (event.dataTransfer?.types.includes("Files")) event.preventDefault();
  };

  readonly #onDrop = (event: DragEvent): void => {
    const [file] = event.dataTransfer?.files ?? [];
    if (file === undefined) return;
    event.preventDefault();
    void this.#read(file);
  };

  async #read(file: File): Promise<void> {
    try {
      if (file.size > DEFAULT_ZONE_LIMITS.bytes) {
        throw new RangeError(
          `it has more than ${DEFAULT_ZONE_LIMITS.bytes} bytes`,
        );
      }
      const zones = await readFile(new Uint8Array(await file.arrayBuffer()));
      this.#events.onZones(zones);
    } catch (error) {
      const hint = error instanceof ZoneError && error.hint !== undefined
        ? ` ${error.hint}`
        : "";
      this.#events.onProblem(
        `${file.name} was not imported: ${messageOf(error)}.${hint}`,
      );
    }
  }
}

/**
 * Downloads zones as a GeoJSON file.
 *
 * @throws {ZoneError} if a property of a zone is not valid
 */
export function downloadZones(draft: Draft): void {
  const parts = [...writeZones(draft.map(zoneOf))];
  const blob = new Blob(parts, { type: "application/geo+json" });
  saveFile("zones.geojson", blob);
}
