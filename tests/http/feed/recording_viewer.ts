/** A viewer that records all messages; it uses the client of the page. */
import {
  LiveClient,
  type LiveClientOptions,
} from "../../../src/page/feed/client.ts";
import type {
  CloseMessage,
  HelloMessage,
  HistoryMessage,
  LatestMessage,
  StatusMessage,
  View,
} from "../../../src/feed/messages.ts";
import type { ZonesMessage } from "../../../src/feed/zone_messages.ts";
import { until } from "../../support/until.ts";
import { ViewerModel } from "./viewer_model.ts";

/** Options of {@linkcode RecordingViewer}. */
export interface RecordingViewerOptions extends LiveClientOptions {
  readonly view?: View;
  /** Called and awaited before each frame is handled. */
  readonly onFrame?: () => void | Promise<void>;
}

/** The whole layer `default`. */
export const DEFAULT_LAYER_VIEW: View = { layer: "default", region: null };

export class RecordingViewer implements AsyncDisposable {
  readonly client: LiveClient;
  model = new ViewerModel();
  /** The `to` of the last frame. */
  revision = 0;
  /** How many times a view was complete. */
  completions = 0;
  readonly hellos: HelloMessage[] = [];
  readonly statuses: StatusMessage[] = [];
  readonly latest: LatestMessage[] = [];
  readonly histories: HistoryMessage[] = [];
  readonly zones: ZonesMessage[] = [];
  readonly lost: string[] = [];
  readonly refused: CloseMessage[] = [];
  readonly lags: number[] = [];

  constructor(
    url: string,
    { view = DEFAULT_LAYER_VIEW, onFrame, ...options }: RecordingViewerOptions =
      {},
  ) {
    this.client = new LiveClient(`${url.replace("http", "ws")}/live`, {
      onHello: (message) => void this.hellos.push(message),
      onStatus: (message) => void this.statuses.push(message),
      onLatest: (message) => void this.latest.push(message),
      onHistory: (message) => void this.histories.push(message),
      onZones: (message) => void this.zones.push(message),
      onLost: (reason) => void this.lost.push(reason),
      onRefused: (message) => void this.refused.push(message),
      onLag: (ms) => void this.lags.push(ms),
      onLive: () => void this.completions++,
      onFrame: async (frame) => {
        await onFrame?.();
        this.model.apply(frame);
        if (frame.kind === "delta") this.revision = frame.to;
        else if (frame.part === frame.parts) this.revision = frame.revision;
      },
    }, { minRetryMs: 20, ...options });
    this.client.view(view.layer, view.region);
  }

  get status(): StatusMessage | undefined {
    return this.statuses.at(-1);
  }

  /** Waits until a view has been complete for a number of times. */
  async waitUntilComplete(times = 1): Promise<this> {
    await until(() => this.completions >= times, {
      what: "a complete snapshot",
    });
    return this;
  }

  /** Waits until a cell has a value. */
  async waitForValue(x: number, y: number, value: number): Promise<void> {
    await until(() => this.model.cells.get(`${x},${y}`)?.[0] === value, {
      what: () => `${x},${y} is ${this.model.cells.get(`${x},${y}`)}`,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.close();
  }
}
