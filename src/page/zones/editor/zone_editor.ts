/// <reference lib="dom" />
/**
 * The editor of zones: connects session, canvas, forms and keys. Loaded when it
 * is opened first.
 *
 * @module
 */

import type { Ring } from "../../../zones/zone.ts";
import { announce, byId } from "../../elements/dom.ts";
import { askDiscard, showKeys } from "./dialogs.ts";
import { findZone, titleOf, type ZoneDraft } from "./draft.ts";
import { EditorCommands } from "./editor_commands.ts";
import { listenToEditorKeys } from "./editor_keys.ts";
import { EditorSession } from "./editor_session.ts";
import { EditorView, watchTheme } from "./editor_view.ts";
import { boxOf } from "./shapes.ts";
import type { Tool } from "./canvas_events.ts";
import type { EditorOptions, EditorStart } from "./editor_options.ts";
import { ZoneCanvas } from "./zone_canvas.ts";
import { downloadZones, ZoneFiles } from "./zone_files.ts";
import { ZoneSaving } from "./zone_saving.ts";
import { loadZones, saveZones } from "./zones_api.ts";

/** Time between two looks at states of the feed, ms. */
const STATES_MS = 500;

/** The editor, while it is open. */
export class ZoneEditor {
  readonly #options: EditorOptions;
  readonly #session: EditorSession;
  readonly #commands: EditorCommands;
  readonly #canvas: ZoneCanvas;
  readonly #view: EditorView;
  readonly #files: ZoneFiles;
  readonly #saving: ZoneSaving;
  readonly #mapElement = byId("div", "map");
  readonly #removers: (() => void)[] = [];
  #snaps = true;
  #notice: string | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;

  private constructor(options: EditorOptions, session: EditorSession) {
    this.#options = options;
    this.#session = session;
    const commands = new EditorCommands({
      session,
      layer: () => options.layer().name,
      onChange: () => {
        this.#notice = undefined;
        this.update();
      },
    });
    this.#commands = commands;
    this.#view = this.#createView();
    this.#saving = new ZoneSaving({
      session,
      store: options.store,
      readOnly: () => this.#readOnly,
      isClosed: () => this.#isClosed,
      update: () => this.update(),
      say: (text) => this.#say(text),
      showProblem: () => this.#showProblem(),
    });
    this.#files = new ZoneFiles({
      onZones: (zones) => {
        if (this.#readOnly !== undefined) return this.#say(this.#readOnly);
        const text = commands.import(zones);
        this.#reveal(session.zone);
        this.#say(text);
      },
      onProblem: (text) => this.#say(text),
    });
    this.#canvas = new ZoneCanvas(options.map, {
      onSelect: (key) => commands.select(key),
      onCorner: (path) => commands.select(session.zone?.key, path),
      onReshape: (polygons, label, corner) =>
        commands.reshape(polygons, label, corner),
      onDraw: (ring, tool) => this.#draw(ring, tool),
      onSnap: (info) => {
        const zone = findZone(session.draft, info?.zone);
        this.#view.tip.show(info, zone && titleOf(zone));
      },
    });
    this.#listen();
  }

  /**
   * Loads the zones and opens the editor.
   *
   * @throws {ZonesApiError} rejects with it if they cannot be loaded
   */
  static async open(
    options: EditorOptions,
    { zone: name, isNew = false }: EditorStart = {},
  ): Promise<ZoneEditor> {
    const saved = await loadZones();
    const api = { load: loadZones, save: saveZones };
    const editor = new ZoneEditor(options, new EditorSession(saved, api));
    const zone = saved.draft.find(({ fields }) => fields.name === name);
    editor.update();
    if (zone) editor.#selectAndShow(zone.key);
    editor.#mapElement.focus();
    if (isNew) editor.#chooseTool("rectangle");
    announce(
      editor.#readOnly ?? "Zone editor open. Press question mark for its keys.",
    );
    return editor;
  }

  /** Shows the draft. */
  update(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const session = this.#session;
    const { zone, changes } = session;
    const { map, store } = this.#options;
    const { unit } = this.#options.layer();
    const unsaved = new Set([...changes.added, ...changes.changed]);
    const zones = this.#zonesOfLayer();
    const readOnly = this.#readOnly;
    this.#canvas.isReadOnly = readOnly !== undefined;
    this.#canvas.show({
      zones,
      selected: zone?.key,
      corner: session.corner,
      unsaved,
      problems: session.problems,
    });
    this.#view.update(session, {
      zones,
      unsaved,
      unit,
      layers: this.#options.layers(),
      yUp: map.axes.yUp,
      tool: this.#canvas.tool,
      snaps: this.#snaps,
      readOnly,
      notice: this.#notice,
      states: store.states,
    });
  }

  /** Handles that the map shows another layer. */
  onLayer(): void {
    const { zone } = this.#session;
    this.#canvas.abortDrawing();
    const isHere = zone?.fields.layer === this.#options.layer().name;
    if (zone && !isHere) this.#commands.select(undefined);
    else this.update();
  }

  /** Closes the editor, after a question if changes would be lost. */
  async close(): Promise<void> {
    const { changes, zone } = this.#session;
    if (changes.count > 0 && !await askDiscard(changes.count)) return;
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#timer);
    for (const remove of this.#removers) remove();
    this.#canvas.dispose();
    this.#files.dispose();
    this.#view.dispose();
    announce("Zone editor closed");
    this.#options.onClose(zone?.fields.name);
    this.#mapElement.focus();
  }

  /** Why the zones cannot be edited; undefined if they can. */
  get #readOnly(): string | undefined {
    const { file } = this.#options.store;
    return typeof file === "string"
      ? `The zones are those of the file ${file} on the server: change it there, and the server reads it again. To edit zones here, start the server without --zones.`
      : undefined;
  }

  get #canEdit(): boolean {
    return this.#readOnly === undefined && this.#canvas.tool === "select";
  }

  /** The zones of the layer; the selected one also while its layer is typed. */
  #zonesOfLayer(): readonly ZoneDraft[] {
    const { draft, saved, zone } = this.#session;
    const { name } = this.#options.layer();
    const before = findZone(saved, zone?.key) ?? zone;
    return draft.filter((one) =>
      one.fields.layer === name ||
      one === zone && before?.fields.layer === name
    );
  }

  #createView(): EditorView {
    const commands = this.#commands;
    return new EditorView({
      bar: {
        chooseTool: (tool) => this.#chooseTool(tool),
        toggleSnap: () => this.#toggleSnap(),
        finish: () => this.#canvas.finishDrawing(),
        undo: () => commands.undo(),
        redo: () => commands.redo(),
        importFile: () => this.#files.choose(),
        exportFile: () => this.#export(),
        showKeys,
        save: () => void this.#saving.save(),
        close: () => void this.close(),
      },
      form: {
        change: (fields, label) => commands.change(fields, label),
        endChange: () => this.#session.seal(),
        moveCorner: (to) => commands.moveCornerTo(to),
        addCorner: () => commands.addCorner(),
        removeCorner: () => commands.removeCorner(),
        removeHole: () => commands.removeHole(),
        copy: () => this.#copy(),
        remove: () => this.#removeZone(),
        close: () => {
          commands.select(undefined);
          this.#mapElement.focus();
        },
      },
      draw: (ring, tool) => this.#draw(ring, tool),
      select: (key) => this.#selectAndShow(key),
      create: () => {
        this.#chooseTool("rectangle");
        this.#view.focusShapeForm();
      },
    });
  }

  #listen(): void {
    const { store, letterKeys, map } = this.#options;
    const commands = this.#commands;
    const done = (action: () => void) => () => {
      action();
      return true;
    };
    this.#removers.push(
      listenToEditorKeys(this.#mapElement, {
        chooseTool: (tool) => this.#chooseTool(tool),
        toggleSnap: done(() => this.#toggleSnap()),
        move: (right, down) =>
          this.#canEdit &&
          commands.moveBy(right, map.axes.yUp ? -down : down),
        stepCorner: (step) => this.#canEdit && commands.stepCorner(step),
        stepZone: (step) => this.#stepZone(step),
        addCorner: () => this.#canEdit && commands.addCorner(),
        remove: () =>
          this.#canEdit && (commands.removeCorner() || this.#removeZone()),
        removeLastPoint: () => {
          if (!this.#canvas.isDrawing) return false;
          this.#canvas.removeLastPoint();
          return true;
        },
        enter: () => this.#enter(),
        escape: () => this.#escape(),
        copy: () => this.#canEdit && this.#copy(),
        undo: done(() => commands.undo()),
        redo: done(() => commands.redo()),
        save: done(() => void this.#saving.save()),
        help: done(showKeys),
        focusMap: done(() => this.#mapElement.focus()),
      }, letterKeys),
      store.observe({
        onDefinitions: () => void this.#saving.pull(),
        onStates: () => {
          this.#timer ??= setTimeout(() => this.update(), STATES_MS);
        },
      }),
      watchTheme(() => this.#canvas.recolor()),
    );
    const onUnload = (event: BeforeUnloadEvent) => {
      if (this.#session.changes.count > 0) event.preventDefault();
    };
    addEventListener("beforeunload", onUnload);
    this.#removers.push(() => removeEventListener("beforeunload", onUnload));
  }

  #chooseTool(tool: Tool): boolean {
    if (tool !== "select" && this.#readOnly !== undefined) {
      this.#say(this.#readOnly);
      return true;
    }
    if (tool === "hole" && this.#session.zone === undefined) {
      this.#say("Select a zone first, then draw its hole.");
      return true;
    }
    this.#canvas.tool = tool;
    this.update();
    const where = "Click on the map, or type numbers in the form.";
    announce(tool === "select" ? "Select zones" : `Draw a ${tool}. ${where}`);
    return true;
  }

  #toggleSnap(): void {
    this.#snaps = !this.#snaps;
    this.#canvas.snaps = this.#snaps;
    this.update();
    announce(
      this.#snaps ? "Snaps to cells and zones" : "Snaps to nothing",
    );
  }

  #draw(ring: Ring, tool: Tool): void {
    const { x0, y0, x1, y1 } = boxOf([[ring]]);
    if (ring.length < 4 || x0 === x1 || y0 === y1) {
      return this.#say(
        "Nothing was drawn: a zone has three corners that are not on one line.",
      );
    }
    if (tool === "hole") {
      const problem = this.#commands.addHole(ring);
      if (problem !== undefined) return this.#say(problem);
    } else this.#commands.add(ring);
    this.#canvas.tool = "select";
    this.update();
    this.#reveal(this.#session.zone);
    if (tool !== "hole") this.#view.focusForm();
  }

  #enter(): boolean {
    if (this.#canvas.tool === "polygon" && this.#canvas.isDrawing) {
      this.#canvas.finishDrawing();
    } else if (this.#canvas.tool !== "select") this.#view.focusShapeForm();
    else if (this.#session.zone) this.#view.focusForm();
    else return false;
    return true;
  }

  #escape(): boolean {
    const { zone, corner } = this.#session;
    if (this.#canvas.isDrawing) this.#canvas.abortDrawing();
    else if (this.#canvas.tool !== "select") this.#chooseTool("select");
    else if (corner) this.#commands.select(zone?.key);
    else if (zone) this.#commands.select(undefined);
    else return false;
    return true;
  }

  #stepZone(step: 1 | -1): boolean {
    const zone = this.#commands.stepZone(this.#zonesOfLayer(), step);
    this.#reveal(zone);
    return zone !== undefined;
  }

  #selectAndShow(key: string): void {
    this.#canvas.tool = "select";
    this.#commands.select(key);
    this.#reveal(this.#session.zone);
  }

  #copy(): boolean {
    const copied = this.#commands.copy();
    this.#reveal(this.#session.zone);
    return copied;
  }

  #removeZone(): boolean {
    const removed = this.#commands.removeZone();
    if (removed) this.#mapElement.focus();
    return removed;
  }

  /** Makes a zone of the layer visible. */
  #reveal(zone: ZoneDraft | undefined): void {
    if (zone?.fields.layer !== this.#options.layer().name) return;
    const { map } = this.#options;
    const { x0, y0, x1, y1 } = boxOf(zone.polygons);
    const [vx0, vy0, vx1, vy1] = map.visibleEdges;
    const isVisible = x0 >= vx0 && y0 >= vy0 && x1 <= vx1 && y1 <= vy1;
    if (!isVisible) map.moves.showEdges([x0, y0, x1, y1]);
  }

  #export(): void {
    try {
      downloadZones(this.#session.draft);
      announce("The zones are downloaded as zones.geojson.");
    } catch {
      this.#showProblem();
    }
  }

  /** Shows the first zone that is not valid. */
  #showProblem(): void {
    const [[key, problems] = []] = this.#session.problems;
    const zone = findZone(this.#session.draft, key);
    if (zone === undefined || problems === undefined) return this.update();
    this.#selectAndShow(zone.key);
    const [{ place, text }] = problems as [(typeof problems)[number]];
    this.#view.focusForm(place);
    this.#say(`${titleOf(zone)} is not valid. ${text}`);
  }

  /** Says something to all: in the bar, and to screen readers. */
  #say(text: string): void {
    this.#notice = text;
    this.update();
    announce(text);
  }
}
