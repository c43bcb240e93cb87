/**
 * Measures CPU time and memory of processes, from `/proc` of Linux.
 *
 * @module
 */

/** A process under measurement. */
export interface MeteredProcess {
  /** Its part in the trial, such as `server`. */
  readonly role: string;
  readonly pid: number;
}

/** The work of a process between two moments. */
export interface Usage {
  readonly role: string;
  /** CPU time of all its threads, µs. */
  readonly cpuMicroseconds: number;
  /**
   * Share of the time in which its main thread ran or waited for a core, in
   * percent. Near 100, it was the limit.
   */
  readonly demandPercent: number;
}

interface Snapshot {
  /** ms */
  readonly at: number;
  readonly cpuMicroseconds: number;
  readonly demandMicroseconds: number;
}

/** Interval of snapshots, because a process may end before `stop()`. */
const INTERVAL_MS = 50;
/** A main thread as busy as this is the limit. */
const LIMIT_PERCENT = 90;

/** Measures processes, starting at its construction. */
export class Meter {
  readonly #processes: readonly MeteredProcess[];
  readonly #first: readonly (Snapshot | undefined)[];
  #last: (Snapshot | undefined)[];
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(processes: readonly MeteredProcess[]) {
    this.#processes = processes;
    this.#first = processes.map(({ pid }) => snapshot(pid));
    this.#last = [...this.#first];
    this.#timer = setInterval(() => this.#update(), INTERVAL_MS);
  }

  /** @returns the work of each process until now, or until it ended */
  stop(): Usage[] {
    clearInterval(this.#timer);
    this.#update();
    return this.#processes.flatMap(({ role }, i) => {
      const first = this.#first[i];
      const last = this.#last[i];
      if (first === undefined || last === undefined) return [];
      const elapsedMicroseconds = 1000 * (last.at - first.at);
      return {
        role,
        cpuMicroseconds: last.cpuMicroseconds - first.cpuMicroseconds,
        demandPercent: 100 *
          (last.demandMicroseconds - first.demandMicroseconds) /
          elapsedMicroseconds,
      };
    });
  }

  #update(): void {
    this.#last = this.#processes.map(({ pid }, i) =>
      snapshot(pid) ?? this.#last[i]
    );
  }
}

/** Names the process, or processes, that limited a trial. */
export function limitOf(usages: readonly Usage[]): string {
  const busiest = usages.toSorted((a, b) => b.demandPercent - a.demandPercent);
  const full = busiest.filter((usage) => usage.demandPercent >= LIMIT_PERCENT);
  if (full.length > 0) return full.map(({ role }) => role).sort().join(" and ");
  const first = busiest[0];
  if (first === undefined) return "unknown";
  return `none alone (${first.role} most)`;
}

/** Resident memory of a process, now and at its peak, bytes. */
export function memoryOf(pid: number): { now: number; peak: number } {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  const of = (name: string) =>
    1024 * Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1]);
  return { now: of("VmRSS"), peak: of("VmHWM") };
}

/**
 * Reads the scheduler's counts of each thread, which are in ns. The counts in
 * `/proc/PID/stat` are in hundredths of a second, too coarse for a short run.
 */
function snapshot(pid: number): Snapshot | undefined {
  try {
    const at = performance.now();
    let ran = 0;
    let demand = 0;
    for (const { name } of Deno.readDirSync(`/proc/${pid}/task`)) {
      const thread = readThread(`/proc/${pid}/task/${name}/schedstat`);
      ran += thread.ran;
      if (name === String(pid)) demand = thread.ran + thread.waited;
    }
    return {
      at,
      cpuMicroseconds: ran / 1000,
      demandMicroseconds: demand / 1000,
    };
  } catch {
    return undefined; // it has ended
  }
}

/** Time that a thread ran and waited for a core, ns (Linux, sched-stats). */
function readThread(path: string): { ran: number; waited: number } {
  const [ran, waited] = Deno.readTextFileSync(path).split(" ");
  return { ran: Number(ran), waited: Number(waited) };
}
