/** What the server tells besides cells. */
export interface LayerStatus {
  readonly name: string;
  readonly title?: string;
  readonly bounds: readonly [number, number, number, number] | null;
  readonly people: number;
  readonly occupied: number;
  readonly free: number;
  readonly stale: number;
  readonly unknown: number;
  readonly cells: number;
}
export interface Rates {
  readonly readings: number;
  readonly messages: number;
  readonly changes: number;
  readonly bytes: number;
}
export interface CellColumns {
  length: number;
  x: Int32Array;
  y: Int32Array;
  value: Int32Array;
  status: Uint8Array;
  time: Float64Array;
}
export interface SnapshotFrame {
  kind: "snapshot";
  layer: string;
  revision: number;
  time: number;
  part: number;
  parts: number;
  cells: CellColumns;
}
export interface DeltaFrame {
  kind: "delta";
  layer: string;
  from: number;
  to: number;
  time: number;
  cells: CellColumns;
}
export type Frame = SnapshotFrame | DeltaFrame;
export function isStale(status: number): boolean {
  return (status & 4) !== 0;
}
export interface Status {
  revision: number;
  time: number;
  broker: "up" | "down";
  store: string;
  rate: Rates;
  layers: LayerStatus[];
  viewers: number;
}
export interface Hello {
  version: string;
  staleAfter: number | null;
  forgetAfter: number | null;
}
