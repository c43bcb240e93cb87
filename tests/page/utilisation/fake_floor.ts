/**
 * How the floor of the screenshots is used: desks more or less, rooms around
 * some places, a store of which nothing is known.
 *
 * @module
 */
import { type Room, ROOMS, Scene } from "../fixture/scene.ts";
import type { FakeCell } from "./fake_history.ts";

/** How much the places of a kind of room are used, 0 to 1. */
const USED: Readonly<Record<Room["kind"], number>> = {
  ...{ desks: 0.6, meeting: 0.45, canteen: 0.22, seats: 0.13 },
  ...{ racks: 0.82, open: 0.24, unknown: 0 },
};

/** Returns the cells of the floor. */
export function floorCells(): FakeCell[] {
  const full = new Scene(7, 1);
  return ROOMS.flatMap((room) =>
    full.cells(room).map(({ x, y, value }): FakeCell => {
      const share = room.kind === "open"
        ? openShare(room, x, y)
        : value > 0
        ? Math.min(0.97, USED[room.kind] * (0.35 + 1.3 * hash(x >> 1, y >> 1)))
        : 0;
      const isSilent = room.silent === true && x > 210 && y > 138;
      const known = room.kind === "unknown" ? 0.1 : isSilent ? 0.38 : 0.99;
      const unknownDays = hash(x, y + 1) > 0.97 ? 5 : 0;
      return { x, y, share, known, unknownDays };
    })
  );
}

/** People walk near some places of a room. */
function openShare(
  { x: left, y: top, width, height }: Room,
  x: number,
  y: number,
) {
  const [u, v] = [(x - left) / width, (y - top) / height];
  const [cx, cy] = [0.25 + 0.5 * hash(left, top), 0.3 + 0.4 * hash(top, left)];
  const distance = Math.hypot((u - cx) * 1.4, v - cy);
  const ripple = 0.5 + 0.5 * Math.sin(x * 0.31) * Math.cos(y * 0.37 + left);
  return Math.round(
    100 * (0.62 * Math.exp(-9 * distance ** 2) + 0.16 * ripple),
  ) /
    100;
}

/** A number from 0 to 1 that looks random. */
function hash(x: number, y: number): number {
  const value = Math.sin(x * 127.1 + y * 311.7) * 43_758.5453;
  return value - Math.floor(value);
}

/** How busy an hour of a working day is, about 1. */
export function busyAt(day: number, hour: number): number {
  const byDay = [0.95, 1.1, 1.1, 1.2, 0.65, 0.1, 0.05][day]!;
  const byHour = hour < 8 || hour > 17
    ? 0.1
    : [0.5, 0.95, 1.15, 1.12, 0.8, 0.85, 1.15, 1.1, 0.9, 0.5][hour - 8]!;
  return byDay * byHour;
}
