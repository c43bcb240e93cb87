import type { HttpContext } from "../context.ts";
import { Rates } from "../rates.ts";
import { TurnDeltas } from "./deltas.ts";
import { History, HISTORY_STEP } from "./history.ts";
import { LayersReporter } from "./layer_status.ts";
import { DEFAULT_LIMITS, type LiveLimits } from "./limits.ts";
import {
  type FarewellMessage,
  LIVE_PROTOCOL,
  type StatusMessage,
} from "../../feed/messages.ts";
import { Snapshots } from "./snapshots.ts";
import { type Turn, Viewer, type ViewerOptions } from "./viewer.ts";

/** ms between two status messages. */
const STATUS_INTERVAL = 1000;
/** How long a turn may make parts of snapshots, ms: readings wait for so long. */
const TURN_BUDGET = 5;
/** While readings come in, the feed rests this many times as long as a turn took... */
const REST = 9;
/** ...but no longer than this, ms. */
const LONGEST_REST = 1000;

const STOPPING: FarewellMessage = {
  type: "gone",
  code: "stopping",
  message: "The server is ending; the map is as it was. Try again in a moment.",
};

/**
 * The live feed: tells each viewer what it looks at and then what changes in
 * there.
 *
 * Nothing is queued. What changed is read from the map when there is room to send
 * it, once for all who look at the same, so viewers that are slow cost nothing.
 */
export class LiveFeed {
  readonly #context: HttpContext;
  readonly #limits: LiveLimits;
  readonly #snapshots: Snapshots;
  readonly #history = new History();
  readonly #layers: LayersReporter;
  readonly #rates = new Rates();
  readonly #viewers = new Set<Viewer>();
  readonly #viewerOptions: ViewerOptions;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** When the timer goes off. */
  #timerAt = 0;
  #status: ReturnType<typeof setInterval>;
  #sampling: ReturnType<typeof setInterval>;
  #unobserve: () => void;
  /** When deltas were last sent, ms of a clock that nobody sets. */
  #deltasAt = -Infinity;
  /** No turn before this, ms of that clock. */
  #restUntil = -Infinity;
  /** Messages with readings that had come at the last turn. */
  #messages = 0;
  /** The last time at which the map was right. */
  #rightAt: number | undefined;
  /** Broker and store as they were told last. */
  #health = "";
  #stopped = false;

  constructor(context: HttpContext, limits: Partial<LiveLimits> = {}) {
    this.#context = context;
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
    this.#snapshots = new Snapshots(context.map, this.#limits.partCells);
    this.#layers = new LayersReporter(context);
    this.#viewerOptions = {
      context,
      limits: this.#limits,
      snapshots: this.#snapshots,
      welcome: (viewer, layer) => {
        const points = this.#history.points(layer);
        viewer.send({ type: "history", layer, points });
      },
      poke: (urgent) => urgent ? this.#schedule(0) : this.#poke(),
    };
    this.#status = setInterval(() => this.#everySecond(), STATUS_INTERVAL);
    this.#sampling = setInterval(() => this.#sample(), HISTORY_STEP);
    this.#unobserve = context.observe(() => this.#poke());
    this.#everySecond();
    this.#sample();
    if (context.signal.aborted) this.stop();
    else context.signal.addEventListener("abort", () => this.stop());
  }

  /** Whether another viewer may come. */
  get full(): boolean {
    return this.#viewers.size >= this.#limits.viewers;
  }

  /**
   * Shows the map to whoever is at the other end.
   *
   * @param socket open, of the type that `Deno.upgradeWebSocket` gives
   */
  admit(socket: WebSocket): void {
    const viewer = new Viewer(socket, this.#viewerOptions);
    if (this.#stopped) {
      viewer.close(1001, STOPPING);
      return;
    }
    if (this.full) {
      viewer.close(1013, this.#fullMessage());
      return;
    }
    this.#viewers.add(viewer);
    this.#context.viewers.current = this.#viewers.size;
    socket.onmessage = ({ data }) => viewer.receive(data);
    socket.onclose = () => {
      viewer.forget();
      this.#viewers.delete(viewer);
      this.#context.viewers.current = this.#viewers.size;
    };
    const { version, name, map: { ageing } } = this.#context;
    viewer.send({
      type: "hello",
      version,
      protocol: LIVE_PROTOCOL,
      staleAfter: finite(ageing.staleAfter),
      forgetAfter: finite(ageing.forgetAfter),
      title: name,
    });
    viewer.send(this.#statusMessage());
  }

  /** Says goodbye to all viewers, and ends. Safe to call twice. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    clearTimeout(this.#timer);
    clearInterval(this.#status);
    clearInterval(this.#sampling);
    this.#unobserve();
    for (const viewer of this.#viewers) viewer.close(1001, STOPPING);
  }

  /** There may be something to send: cheap, the look is taken later. */
  #poke(): void {
    if (this.#viewers.size === 0) return;
    const due = this.#deltasAt + this.#limits.interval;
    this.#schedule(due - performance.now());
  }

  /** Takes a turn after so many ms and some rest, or sooner if one comes sooner. */
  #schedule(delay: number): void {
    if (this.#stopped) return;
    const now = performance.now();
    const at = Math.max(now, now + delay, this.#restUntil);
    if (this.#timer !== undefined) {
      if (this.#timerAt <= at) return;
      clearTimeout(this.#timer);
    }
    this.#timerAt = at;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#turn();
    }, at - now);
  }

  #turn(): void {
    const at = performance.now();
    this.#tellHealth();
    if (!this.#context.loaded()) return;
    const time = this.#refresh();
    const due = at >= this.#deltasAt + this.#limits.interval;
    const turn: Turn = {
      time,
      at,
      deltas: due ? this.#deltasNow(time) : undefined,
      enough: () => performance.now() - at > TURN_BUDGET,
    };
    let more = false;
    for (const viewer of this.#viewers) more = viewer.step(turn) || more;
    if (due) this.#deltasAt = at;
    this.#rest(at);
    if (more) this.#schedule(0);
    else if (this.#isBehind()) this.#poke();
  }

  #deltasNow(time: number): TurnDeltas {
    const { deltaCells } = this.#limits;
    return new TurnDeltas(
      this.#context.map,
      time,
      deltaCells,
      this.#viewers.size,
    );
  }

  /** Leaves most of the time to the readings, if there are any. */
  #rest(began: number): void {
    const { messages } = this.#context.counts;
    const now = performance.now();
    const rest = messages === this.#messages ? 0 : REST * (now - began);
    this.#restUntil = now + Math.min(rest, LONGEST_REST);
    this.#messages = messages;
  }

  #isBehind(): boolean {
    for (const viewer of this.#viewers) if (viewer.behind) return true;
    return false;
  }

  /** Lets cells age; the last time at which they were right. */
  #refresh(): number {
    this.#rightAt = this.#context.refresh() ?? this.#rightAt;
    return this.#rightAt ?? this.#context.clock();
  }

  #everySecond(): void {
    this.#rates.sample(this.#context.counts, performance.now());
    this.#snapshots.sweep();
    this.#tellStatus();
    this.#poke(); // a viewer may stand still
  }

  /** Tells at once when the broker or the store is lost, or is back. */
  #tellHealth(): void {
    if (this.#viewers.size === 0) return;
    const { up } = this.#context.link();
    const { problem } = this.#context.store();
    if (this.#health !== `${up} ${problem}`) this.#tellStatus();
  }

  #tellStatus(): void {
    if (this.#viewers.size === 0) return;
    const status = JSON.stringify(this.#statusMessage());
    for (const viewer of this.#viewers) viewer.sendIfRoom(status);
  }

  #statusMessage(): StatusMessage {
    const { map, viewers } = this.#context;
    const { up } = this.#context.link();
    const { problem } = this.#context.store();
    this.#health = `${up} ${problem}`;
    const time = this.#context.loaded()
      ? this.#refresh()
      : this.#context.clock();
    return {
      type: "status",
      revision: map.revision,
      time,
      broker: up ? "up" : "down",
      store: problem ?? "ok",
      rate: this.#rates.report(),
      ...this.#layers.report(),
      viewers: viewers.current,
    };
  }

  #sample(): void {
    const { map } = this.#context;
    if (!this.#context.loaded()) return;
    const time = this.#context.refresh();
    if (time !== undefined) this.#history.sample(map, time);
  }

  #fullMessage(): FarewellMessage {
    return {
      type: "gone",
      code: "too-many-viewers",
      message:
        `${this.#limits.viewers} viewers are connected, which is all that this server allows. Close one, or try again later.`,
    };
  }
}

/** JSON has no infinity. */
function finite(ms: number): number | null {
  return Number.isFinite(ms) ? ms : null;
}
