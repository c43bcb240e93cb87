/** What a server has done since it started; counts only ever rise. */
export interface Stats {
  /** Messages with readings that were taken in, by MQTT and by HTTP. */
  messages: number;
  /** Bytes of their payloads. */
  bytes: number;
  /** Readings whose value is now the cell's, new or repeated. */
  accepted: number;
  /** Readings that changed a cell. */
  changed: number;
  /** Requests answered, errors included. */
  requests: number;
  /** Refused readings and payloads by reason. */
  readonly refused: Map<string, number>;
}

/** Counts from zero. */
export function newStats(): Stats {
  return {
    messages: 0,
    bytes: 0,
    accepted: 0,
    changed: 0,
    requests: 0,
    refused: new Map(),
  };
}

/** Adds to the count of one reason. */
export function countRefused(stats: Stats, code: string, count: number): void {
  stats.refused.set(code, (stats.refused.get(code) ?? 0) + count);
}
