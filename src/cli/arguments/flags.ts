import type { Region } from "../../grid/mod.ts";
import type { SceneName } from "../../simulate/mod.ts";
import type { ColorWhen } from "../terminal/color.ts";

/** What every command takes. */
export interface EveryFlags {
  readonly color: ColorWhen;
  readonly quiet?: true;
  readonly verbose?: true;
}

/** Which broker, and as whom. */
export interface BrokerFlags {
  readonly broker?: string;
  readonly ca?: string;
  readonly prefix: string;
}

/** Options of `occupancy server`. */
export interface ServerFlags extends BrokerFlags, EveryFlags {
  readonly listen?: { readonly host: string; readonly port: number };
  readonly name: string;
  readonly store?: string;
  readonly durability: "commit" | "fsync";
  /** ms, as all that follow. */
  readonly staleAfter?: number;
  readonly forgetAfter?: number;
  readonly maxSkew: number;
  readonly maxLayers: number;
  readonly sessionExpiry: number;
  /** 0 for no deltas. */
  readonly changesInterval: number;
  readonly logFormat: "auto" | "text" | "json";
  readonly logLevel?: "debug" | "info" | "warning" | "error";
  /** False for no HTTP; undefined for the default address. */
  readonly http?: { readonly host: string; readonly port: number } | false;
  readonly noHttp?: boolean;
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
export interface RequestFlags extends BrokerFlags, FormatFlags, EveryFlags {
  readonly map?: true;
  readonly watch?: true;
  readonly count?: number;
  /** ms */
  readonly for?: number;
  readonly test?: true;
  readonly layer: string;
  readonly region?: Region;
  readonly at?: Region;
  readonly wire: Wire;
  /** ms */
  readonly timeout: number;
}

/** Options of `occupancy client`. */
export interface ClientFlags extends BrokerFlags, FormatFlags, EveryFlags {
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

/** Options of `occupancy simulate`. */
export interface SimulateFlags extends BrokerFlags, EveryFlags {
  readonly scene: SceneName;
  readonly seed: number;
  readonly size?: number;
  /** ms since midnight */
  readonly start?: number;
  /** Readings a second, or as fast as they are taken. */
  readonly rate?: number | "max";
  /** How many times as fast as the clock. */
  readonly speed?: number;
  readonly count?: number;
  /** ms */
  readonly duration?: number;
  readonly layer: string;
  readonly source?: string;
  readonly batch?: number;
  readonly dryRun?: true;
  readonly format?: "csv" | "ndjson";
}

/** Options of `occupancy doctor`. */
export interface DoctorFlags extends BrokerFlags {
  readonly listen?: { readonly host: string; readonly port: number };
  /** As the server's. */
  readonly http?: { readonly host: string; readonly port: number } | false;
  readonly noHttp?: boolean;
  readonly name: string;
  readonly store?: string;
  /** ms, as the two that follow. */
  readonly sessionExpiry: number;
  readonly maxSkew: number;
  readonly timeout: number;
  /** Messages sent to a client that is away. */
  readonly queue: number;
  readonly json?: true;
  readonly quiet?: true;
  readonly color: ColorWhen;
}
