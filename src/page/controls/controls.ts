/// <reference lib="dom" />
/**
 * The controls of the page: the map tools, the coordinate field, the help and
 * the keys.
 *
 * @module
 */

import { announce, byId } from "../elements/dom.ts";
import { ICONS } from "../elements/icons.ts";
import { createTool } from "../elements/tool_button.ts";
import type { MapView } from "../map/map_view.ts";
import type { Point } from "../map/regions.ts";
import type { Explorer } from "./explorer.ts";
import { Help } from "./help.ts";
import { listenToKeys } from "./keys.ts";
import type { Preferences } from "./preferences.ts";
import { parseCoordinate } from "./view_hash.ts";

/** How far an arrow key moves the map, CSS pixels. */
const PAN_PX = 120;
/** The factor of one zoom step. */
const ZOOM_FACTOR = 1.6;
const INVALID_PLACE = "Enter a coordinate such as 12,-4, or the name of a zone";

/** Dependencies and callbacks of {@linkcode Controls}. */
export interface ControlsOptions {
  readonly explorer: Explorer;
  readonly map: MapView;
  readonly preferences: Preferences;
  /** Shows a cell. */
  goTo(cell: Point): void;
  /** Shows the zone of a name or title. @returns false if there is none */
  goToZone(text: string): boolean;
  /** Moves the focus to the list of zones. */
  focusZones(): void;
  /** Shows the whole layer. */
  fit(): void;
  /** Moves the focus to the menu of layers. */
  focusLayers(): void;
  /** @returns whether a key has an action in the mode of the page */
  onModeKey(event: KeyboardEvent): boolean;
  /** Called when the user turns the floor plan on or off. */
  onPlanToggle(): void;
}

/** The controls. */
export class Controls {
  readonly #options: ControlsOptions;
  readonly #map = byId("div", "map");
  readonly #field = byId("input", "goto-text");
  readonly #boxButton: HTMLButtonElement;
  readonly #planButton: HTMLButtonElement;
  readonly #help: Help;

  constructor(options: ControlsOptions) {
    this.#options = options;
    const { map, preferences, fit, onPlanToggle } = options;
    this.#boxButton = createTool(
      "Select cells: drag a box (b)",
      ICONS.box(),
      () => this.#toggleBoxTool(),
    );
    this.#planButton = createTool("Floor plan", ICONS.plan(), () => {
      this.#planButton.setAttribute("aria-pressed", String(!this.planOn));
      onPlanToggle();
    });
    this.#boxButton.setAttribute("aria-pressed", "false");
    this.#planButton.setAttribute("aria-pressed", "true");
    this.#planButton.hidden = true;
    byId("div", "tools").prepend(
      createTool(
        "Zoom in (+)",
        ICONS.zoomIn(),
        () => map.moves.zoomBy(ZOOM_FACTOR),
      ),
      createTool(
        "Zoom out (−)",
        ICONS.zoomOut(),
        () => map.moves.zoomBy(1 / ZOOM_FACTOR),
      ),
      createTool("Show all (0)", ICONS.fit(), fit),
      this.#boxButton,
      this.#planButton,
    );
    this.#help = new Help(preferences);
    const helpButton = byId("button", "help");
    helpButton.append(ICONS.help());
    helpButton.addEventListener("click", () => this.#help.show());
    byId("form", "goto").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submitCoordinate();
    });
    this.#field.addEventListener("input", () => this.#setFieldValid(true));
    this.#listenToKeys();
  }

  /** Whether the floor plan is turned on. */
  get planOn(): boolean {
    return this.#planButton.getAttribute("aria-pressed") === "true";
  }

  /** Shows the button of the floor plan only if the layer has one. */
  set hasPlan(hasPlan: boolean) {
    this.#planButton.hidden = !hasPlan;
  }

  #listenToKeys(): void {
    const { explorer, map, preferences, ...options } = this.#options;
    listenToKeys(this.#map, {
      arrow: (right, down, selecting) => {
        if (explorer.hasCursor) explorer.moveCursor(right, down, selecting);
        else map.moves.panBy(right * PAN_PX, down * PAN_PX);
      },
      zoom: (direction) => map.moves.zoomBy(ZOOM_FACTOR ** direction),
      fit: () => options.fit(),
      goTo: () => {
        this.#field.focus();
        this.#field.select();
      },
      chooseLayer: () => options.focusLayers(),
      chooseZone: () => options.focusZones(),
      nextTheme: () => preferences.nextTheme(),
      toggleBoxTool: () => this.#toggleBoxTool(),
      toggleCursor: () => {
        explorer.toggleCursor();
        this.#map.focus();
      },
      help: () => this.#help.show(),
      ofMode: (event) => options.onModeKey(event),
      escape: () => {
        if (document.activeElement === this.#field) {
          this.#setFieldValid(true);
          this.#map.focus();
          return true;
        }
        if (map.boxTool) {
          this.#toggleBoxTool();
          return true;
        }
        return explorer.escape();
      },
    }, () => preferences.letterKeys);
  }

  #submitCoordinate(): void {
    const coordinate = parseCoordinate(this.#field.value);
    const isZone = coordinate === undefined &&
      this.#options.goToZone(this.#field.value);
    this.#setFieldValid(coordinate !== undefined || isZone);
    if (isZone) return this.#map.focus();
    if (coordinate === undefined) {
      announce(INVALID_PLACE);
      this.#field.reportValidity();
      return;
    }
    const [x, y] = coordinate;
    this.#options.goTo({ x, y });
    this.#map.focus();
  }

  #setFieldValid(valid: boolean): void {
    this.#field.setAttribute("aria-invalid", String(!valid));
    this.#field.setCustomValidity(valid ? "" : INVALID_PLACE);
  }

  #toggleBoxTool(): void {
    const { map } = this.#options;
    const on = !map.boxTool;
    map.boxTool = on;
    this.#boxButton.setAttribute("aria-pressed", String(on));
    announce(on ? "Drag to select cells" : "Drag to move the map");
  }
}
