/// <reference lib="dom" />
/**
 * The slider over a day: the curve of the day, the time that is shown, and where
 * nothing was recorded.
 *
 * @module
 */

import { el, setText } from "../elements/dom.ts";
import { type ChartColors, readChartColors } from "./chart_colors.ts";
import {
  paintTimeline,
  pixelOfTime,
  type TimelineScene,
  timeOfPixel,
} from "./timeline_painter.ts";

/** The slider. */
export class Timeline {
  /** The slider, with `role="slider"`. */
  readonly element: HTMLElement;
  /** What is drawn, for a picture. */
  readonly canvas = el("canvas", { "aria-hidden": "true" });
  readonly #context = this.canvas.getContext("2d")!;
  readonly #onSeek: (ms: number) => void;
  readonly #label = el("b", { "aria-hidden": "true" });
  readonly #handle = el("i", { class: "handle", "aria-hidden": "true" });
  readonly #observer: ResizeObserver;
  #colors: ChartColors = readChartColors();
  #scene: TimelineScene | undefined;
  #request = 0;
  #isDragging = false;

  /** @param onSeek called with the time that the user points at */
  constructor(onSeek: (ms: number) => void) {
    this.#onSeek = onSeek;
    this.#handle.append(this.#label);
    this.element = el(
      "div",
      {
        class: "timeline",
        role: "slider",
        tabindex: 0,
        "aria-label": "Time of the map",
      },
      this.canvas,
      this.#handle,
    );
    this.element.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      this.element.setPointerCapture(event.pointerId);
      this.#isDragging = true;
      this.#seekTo(event);
    });
    this.element.addEventListener("pointermove", (event) => {
      if (this.#isDragging) this.#seekTo(event);
    });
    for (const name of ["pointerup", "pointercancel"] as const) {
      this.element.addEventListener(name, () => this.#isDragging = false);
    }
    this.#observer = new ResizeObserver(() => this.#draw());
    this.#observer.observe(this.element);
  }

  /** Shows a day, and a time in it. */
  show(scene: TimelineScene): void {
    this.#scene = scene;
    const { site, time, day } = scene;
    this.element.setAttribute("aria-valuemin", "0");
    this.element.setAttribute(
      "aria-valuemax",
      String(Math.round((day.to - day.from) / 1000)),
    );
    this.element.setAttribute(
      "aria-valuenow",
      String(Math.round((time - day.from) / 1000)),
    );
    this.element.setAttribute("aria-valuetext", site.format(time));
    this.#request ||= requestAnimationFrame(() => this.#draw());
  }

  /** Draws in the present colours. */
  recolor(): void {
    this.#colors = readChartColors();
    this.#draw();
  }

  /** Ends drawing. */
  close(): void {
    cancelAnimationFrame(this.#request);
    this.#observer.disconnect();
  }

  #seekTo({ clientX }: PointerEvent): void {
    if (this.#scene === undefined) return;
    const { left } = this.element.getBoundingClientRect();
    this.#onSeek(timeOfPixel(this.#frame(this.#scene), clientX - left));
  }

  #frame({ day }: TimelineScene) {
    const { clientWidth: width, clientHeight: height } = this.element;
    return { width, height, day };
  }

  #draw(): void {
    cancelAnimationFrame(this.#request);
    this.#request = 0;
    const scene = this.#scene;
    if (scene === undefined) return;
    const frame = this.#frame(scene);
    const { width, height } = frame;
    if (width === 0) return;
    const ratio = devicePixelRatio;
    const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (this.canvas.width !== w || this.canvas.height !== h) {
      this.canvas.width = w;
      this.canvas.height = h;
    }
    paintTimeline(this.#context, frame, scene, this.#colors, ratio);
    const left = pixelOfTime(frame, scene.time);
    this.#handle.style.transform = `translateX(${left}px)`;
    setText(this.#label, scene.site.formatClock(scene.time));
    // The label stays within the page.
    const half = this.#label.offsetWidth / 2;
    const shift = Math.max(half - left, 0) + Math.min(width - left - half, 0);
    this.#label.style.transform = `translateX(${shift - half}px)`;
  }
}
