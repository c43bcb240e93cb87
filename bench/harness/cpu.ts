/**
 * What processes cost, from Linux' `/proc`.
 *
 * @module
 */

/** A process that takes part, and the part that it has. */
export interface Member {
  readonly role: string;
  readonly pid: number;
}

/** What a process did between two moments. */
export interface Usage {
  readonly role: string;
  /** Of all its threads, in microseconds. */
  readonly cpuMicroseconds: number;
  /**
   * The share of the time in which its main thread ran or waited for a core, in
   * percent: near 100, it could not have done more.
   */
  readonly demandPercent: number;
}

interface Reading {
  readonly at: number;
  readonly cpuMicroseconds: number;
  readonly demandMicroseconds: number;
}

/** How often the last reading is renewed: a program may end before it is asked. */
const EVERY = 50;
/** A main thread as busy as this is what limits. */
const LIMIT_PERCENT = 90;

/** Watches processes from now on. */
export class Meter {
  readonly #members: readonly Member[];
  readonly #first: readonly (Reading | undefined)[];
  #last: (Reading | undefined)[];
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(members: readonly Member[]) {
    this.#members = members;
    this.#first = members.map(({ pid }) => read(pid));
    this.#last = [...this.#first];
    this.#timer = setInterval(() => this.#renew(), EVERY);
  }

  /** What they did until now, or until they ended. */
  stop(): Usage[] {
    clearInterval(this.#timer);
    this.#renew();
    return this.#members.flatMap(({ role }, i) => {
      const first = this.#first[i];
      const last = this.#last[i];
      if (first === undefined || last === undefined) return [];
      const passed = 1000 * (last.at - first.at);
      return {
        role,
        cpuMicroseconds: last.cpuMicroseconds - first.cpuMicroseconds,
        demandPercent: 100 *
          (last.demandMicroseconds - first.demandMicroseconds) / passed,
      };
    });
  }

  #renew(): void {
    this.#last = this.#members.map(({ pid }, i) => read(pid) ?? this.#last[i]);
  }
}

/** What kept the others waiting, in words. */
export function limitOf(usages: readonly Usage[]): string {
  const busiest = usages.toSorted((a, b) => b.demandPercent - a.demandPercent);
  const full = busiest.filter((usage) => usage.demandPercent >= LIMIT_PERCENT);
  if (full.length > 0) return full.map(({ role }) => role).sort().join(" and ");
  const first = busiest[0];
  if (first === undefined) return "unknown";
  return `none alone (${first.role} most)`;
}

/** Resident memory of a process, now and at most, in bytes. */
export function memoryOf(pid: number): { now: number; peak: number } {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  const of = (name: string) =>
    1024 * Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1]);
  return { now: of("VmRSS"), peak: of("VmHWM") };
}

/**
 * From the scheduler's own count of each thread, in nanoseconds: `/proc/PID/stat`
 * has hundredths of a second, too coarse for a short run.
 */
function read(pid: number): Reading | undefined {
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

/** How long a thread has run, and waited for a core, in ns (Linux, sched-stats). */
function readThread(path: string): { ran: number; waited: number } {
  const [ran, waited] = Deno.readTextFileSync(path).split(" ");
  return { ran: Number(ran), waited: Number(waited) };
}
