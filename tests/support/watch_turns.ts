/**
 * Measures the turns of the event loop of a process, for tests of servers: load
 * it with `--preload`. It writes lines such as `turn 73 ms` to standard error.
 *
 * The time of a turn is that of the processor, so that other processes do not
 * count; the runtime measures it in steps of 10 ms.
 *
 * @module
 */
import process from "node:process";

const INTERVAL_MS = 5;
/** Shorter turns are not written. */
const MIN_TURN_MS = 20;

let wall = performance.now();
let cpu = cpuMs();
const timer = setInterval(() => {
  const [newWall, newCpu] = [performance.now(), cpuMs()];
  const turn = Math.min(newWall - wall - INTERVAL_MS, newCpu - cpu);
  if (turn >= MIN_TURN_MS) console.error(`turn ${Math.round(turn)} ms`);
  [wall, cpu] = [newWall, newCpu];
}, INTERVAL_MS);
Deno.unrefTimer(timer);

/** Processor time of this thread, in ms. */
function cpuMs(): number {
  // Deno has it; its types of Node.js do not.
  const { threadCpuUsage } = process as unknown as {
    threadCpuUsage(): { user: number; system: number };
  };
  const { user, system } = threadCpuUsage();
  return (user + system) / 1000;
}
