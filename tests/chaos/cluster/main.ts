/**
 * `deno task chaos --cluster`: readings into a group of servers while servers
 * and masters of Redis fail.
 *
 * @module
 */
import { type ClusterChaosReport, runClusterChaos } from "./cluster.ts";

/** Longest time that a request may wait for its answer, in ms. */
export const MAX_WAIT_MS = 15_000;

/** Options of the command line. */
export interface ClusterArguments {
  readonly readings: number;
  readonly kills: number;
  readonly seconds: number;
  readonly replicas: number;
  readonly seed: number;
}

/** Runs it, and prints the result. @returns true if nothing is wrong */
export async function checkCluster(args: ClusterArguments): Promise<boolean> {
  const report = await runClusterChaos(args);
  console.log(`cluster: ${summary(report)}`);
  return problemsOf(report).length === 0;
}

/** Returns what is wrong with a run, for people. */
export function problemsOf(report: ClusterChaosReport): string[] {
  const { lost, invented, different, unanswered, repeated } = report;
  const { longestWait } = report;
  return [
    ...lost.map((cell) => `lost ${cell}`),
    ...invented.map((cell) => `invented ${cell}`),
    ...different.map((text) => `different ${text}`),
    ...(unanswered > 0 ? [`${unanswered} requests without an answer`] : []),
    ...repeated.map((text) => `answered twice: ${text}`),
    ...(longestWait > MAX_WAIT_MS
      ? [`a request waited ${Math.round(longestWait)} ms`]
      : []),
  ];
}

function summary(report: ClusterChaosReport): string {
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
  return [
    `${report.acknowledged} readings acknowledged`,
    `${report.cells} cells compared in ${report.maps} maps`,
    `${report.lost.length} cells that lost a reading`,
    `${report.invented.length} cells with a value that was never sent`,
    `${report.different.length} differences`,
    `${report.requests} requests, ${report.refused} of them answered with an error, ${report.unanswered} without an answer, ${report.repeated.length} answered twice`,
    `the longest wait ${seconds(report.longestWait)}`,
    `all maps complete after ${seconds(report.settledMs)}`,
    ...report.failures.map((text) => `\n  ${text}`),
    ...problemsOf(report).slice(0, 15).map((text) => `\n  ${text}`),
  ].join(", ");
}
