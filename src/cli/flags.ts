import type { Region } from "../grid/mod.ts";
import type { ColorWhen } from "./color.ts";

/** Which broker, and as whom. */
export interface BrokerFlags {
  readonly broker?: string;
  readonly ca?: string;
  readonly prefix: string;
}

/** Options of `occupancy server`. */
export interface ServerFlags extends BrokerFlags {
  readonly listen?: { readonly host: string; readonly port: number };
  readonly name: string;
  readonly store?: string;
  readonly durability: "commit" | "fsync";
  /** ms, as all that follow. */
  readonly staleAfter?: number;
  readonly forgetAfter?: number;
  readonly maxSkew: number;
  readonly sessionExpiry: number;
  /** 0 for no deltas. */
  readonly changesInterval: number;
  /** False for no HTTP; undefined for the default address. */
  readonly http?: { readonly host: string; readonly port: number } | false;
  readonly httpTokenFile?: string;
  readonly mapFile?: string;
}

/** Whose wire is spoken: ours, or that of the three Python scripts. */
export type Wire = "current" | "original";

/** How a map is printed. */
export interface FormatFlags {
  readonly format?: "table" | "tsv" | "json";
  readonly json?: true;
}

/** Options of `occupancy request`. */
export interface RequestFlags extends BrokerFlags, FormatFlags {
  readonly map?: true;
  readonly color: ColorWhen;
  readonly watch?: true;
  readonly count?: number;
  /** ms */
  readonly for?: number;
  readonly test?: true;
  readonly quiet?: true;
  readonly layer: string;
  readonly region?: Region;
  readonly at?: Region;
  readonly wire: Wire;
  /** ms */
  readonly timeout: number;
}

/** Options of `occupancy client`. */
export interface ClientFlags extends BrokerFlags, FormatFlags {
  readonly file: string;
  readonly layer: string;
  readonly source?: string;
  readonly batch?: number;
  /** ms */
  readonly interval?: number;
  readonly request: boolean;
  readonly strict?: true;
  readonly wire: Wire;
  /** ms */
  readonly timeout: number;
}
