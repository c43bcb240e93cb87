/// <reference lib="dom" />
/**
 * Draws the curve of a day, with its gaps and hours.
 *
 * @module
 */

import type { GapMs } from "../../history/answers.ts";
import { type ChartColors, hatch } from "./chart_colors.ts";
import type { CurvePoint, DayCurve } from "./day_curve.ts";
import type { SiteDay, SiteTime } from "./site_time.ts";

/** Heights, CSS pixels. */
const AXIS_PX = 20;
const TOP_PX = 10;
/** Space at both sides, for half of a label. */
export const SIDE_PX = 20;
/** Space between two labels. */
const LABEL_GAP_PX = 18;
const FONT_PX = 11.5;
/** A gap is labelled if there is so much space at its right. */
const GAP_LABEL_PX = 140;
const HOUR_STEPS = [1, 2, 3, 4, 6, 12];

/** What is drawn. */
export interface TimelineScene {
  readonly day: SiteDay;
  readonly site: SiteTime;
  readonly curve: DayCurve;
  /** Of the other day, with the times of this one. */
  readonly other: DayCurve | undefined;
  /** Times without data, of the past of the day only. */
  readonly gaps: readonly { readonly gap: GapMs; readonly label: string }[];
  /** The end of what can be known, ms since 1970. */
  readonly end: number;
  /** The time that the map shows. */
  readonly time: number;
}

/** The place of the day on the screen. */
export interface TimelineFrame {
  /** CSS pixels. */
  readonly width: number;
  readonly height: number;
  readonly day: SiteDay;
}

/** Returns the distance of a time from the left, CSS pixels. */
export function pixelOfTime({ width, day }: TimelineFrame, ms: number) {
  const part = (ms - day.from) / (day.to - day.from);
  return SIDE_PX + part * (width - 2 * SIDE_PX);
}

/** Returns the time at a distance from the left, CSS pixels. */
export function timeOfPixel({ width, day }: TimelineFrame, left: number) {
  const part = (left - SIDE_PX) / (width - 2 * SIDE_PX);
  return day.from + Math.min(1, Math.max(0, part)) * (day.to - day.from);
}

/** Draws a day. @param ratio device pixels per CSS pixel */
export function paintTimeline(
  context: CanvasRenderingContext2D,
  frame: TimelineFrame,
  scene: TimelineScene,
  colors: ChartColors,
  ratio: number,
): void {
  const { width, height } = frame;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  const bottom = height - AXIS_PX;
  const x = (ms: number) => pixelOfTime(frame, ms);
  const highest = Math.max(
    1,
    ...[scene.curve, scene.other].flatMap((curve) =>
      curve?.parts.flatMap((part) => part.map(([, count]) => count)) ?? []
    ),
  );
  const y = (count: number) =>
    bottom - count / highest * (bottom - TOP_PX - 8) - 0.5;
  paintHours(context, frame, scene, colors);
  const shape = (points: readonly CurvePoint[]) => {
    context.beginPath();
    points.forEach(([time, count], index) => {
      if (index === 0) context.moveTo(x(time), y(count));
      else context.lineTo(x(time), y(count));
    });
  };
  for (const part of scene.curve.parts) {
    shape(part);
    context.lineTo(x(part.at(-1)![0]), bottom);
    context.lineTo(x(part[0]![0]), bottom);
    context.closePath();
    context.fillStyle = colors.of("occupied", 0.13);
    context.fill();
    // What has passed at the time of the map is stronger.
    context.save();
    context.clip();
    context.fillStyle = colors.of("occupied", 0.26);
    context.fillRect(0, 0, x(scene.time), bottom);
    context.restore();
    shape(part);
    context.strokeStyle = colors.of("occupied");
    context.lineWidth = 1.6;
    context.lineJoin = "round";
    context.stroke();
  }
  context.setLineDash([5, 4]);
  context.strokeStyle = colors.of("people");
  for (const part of scene.other?.parts ?? []) {
    shape(part);
    context.stroke();
  }
  context.setLineDash([]);
  paintGaps(context, frame, scene, colors);
  context.fillStyle = colors.of("line-strong");
  context.fillRect(x(frame.day.from), bottom, x(frame.day.to) - SIDE_PX, 1);
}

function paintHours(
  context: CanvasRenderingContext2D,
  frame: TimelineFrame,
  { site, day }: TimelineScene,
  colors: ChartColors,
): void {
  const bottom = frame.height - AXIS_PX;
  const room = (frame.width - 2 * SIDE_PX) / 24;
  context.font = `${FONT_PX}px ${colors.font}`;
  const widest = LABEL_GAP_PX + Math.max(
    ...site.hoursOf(day, 12).map((hour) =>
      context.measureText(site.formatMinute(hour)).width
    ),
  );
  const step = HOUR_STEPS.find((hours) => hours * room >= widest) ?? 12;
  context.textAlign = "center";
  context.textBaseline = "alphabetic";
  for (const hour of site.hoursOf(day, Math.max(1, step / 2))) {
    context.fillStyle = colors.of("line", 0.6);
    context.fillRect(
      Math.round(pixelOfTime(frame, hour)),
      TOP_PX,
      1,
      bottom - TOP_PX,
    );
  }
  for (const hour of site.hoursOf(day, step)) {
    const left = Math.round(pixelOfTime(frame, hour));
    context.fillStyle = colors.of("line");
    context.fillRect(left, TOP_PX, 1, bottom - TOP_PX);
    context.fillStyle = colors.of("muted");
    const text = site.formatMinute(hour);
    const half = context.measureText(text).width / 2;
    const within = Math.min(Math.max(left, half), frame.width - half);
    context.fillText(text, within, frame.height - 4);
  }
}

function paintGaps(
  context: CanvasRenderingContext2D,
  frame: TimelineFrame,
  { gaps }: TimelineScene,
  colors: ChartColors,
): void {
  const bottom = frame.height - AXIS_PX;
  context.textAlign = "left";
  context.font = `${FONT_PX}px ${colors.font}`;
  let labelledTo = -Infinity;
  gaps.forEach(({ gap: [from, to], label }, index) => {
    const left = pixelOfTime(frame, from);
    const right = pixelOfTime(frame, to);
    const width = Math.max(3, right - left);
    context.fillStyle = colors.of("panel");
    context.fillRect(left, TOP_PX, width, bottom - TOP_PX);
    hatch(context, [left, TOP_PX, width, bottom - TOP_PX], colors);
    const inside = width > GAP_LABEL_PX;
    const start = inside ? left + 8 : left + width + 7;
    const next = gaps[index + 1];
    const limit = inside
      ? left + width
      : next
      ? pixelOfTime(frame, next.gap[0])
      : frame.width;
    const needed = context.measureText(label).width;
    if (start < labelledTo || start + needed > limit - 4) return;
    labelledTo = start + needed + 8;
    context.fillStyle = colors.of("panel", inside ? 0.85 : 0);
    context.fillRect(start - 4, TOP_PX + 2, needed + 8, 16);
    context.fillStyle = colors.of("muted");
    context.fillText(label, start, TOP_PX + 14);
  });
}
