/**
 * Tests of single clauses of the MQTT specification. Each runs over Mosquitto,
 * which shows that the test is right, and over the embedded broker, in MQTT
 * 3.1.1 and 5.
 *
 * @module
 */
import assert from "node:assert/strict";
import { needs } from "../../support/needs.ts";
import type { Version } from "../../support/packets.ts";
import {
  isKnownMosquitto,
  startSubject,
  type SubjectLimits,
  type SubjectName,
  SUBJECTS,
} from "./subjects.ts";
import { Trial } from "./trial.ts";

/** A clause, and where it applies. */
export interface Clause {
  /** What a broker must do, and the clause of the specification. */
  readonly name: string;
  /** Default: both. */
  readonly versions?: readonly Version[];
  /**
   * Why Mosquitto 2.0.11 does not pass, in all versions or in one. The test
   * fails if it passes.
   */
  readonly mosquitto?: string | Partial<Record<Version, string>>;
  readonly limits?: SubjectLimits;
}

/**
 * Declares the tests of a clause.
 *
 * @param clause the clause, or its name
 * @param test uses the clients of the trial; throws if the broker does not
 * conform
 */
export function clause(
  clause: Clause | string,
  test: (trial: Trial) => Promise<void>,
): void {
  const { name, versions = [4, 5], ...rest } = typeof clause === "string"
    ? { name: clause }
    : clause;
  for (const subject of SUBJECTS) {
    for (const version of versions) {
      declare({ ...rest, name }, subject, version, test);
    }
  }
}

function declare(
  { name, mosquitto, limits = {} }: Clause,
  subject: SubjectName,
  version: Version,
  test: (trial: Trial) => Promise<void>,
): void {
  const title = `${name} [${subject}, MQTT ${version === 5 ? "5" : "3.1.1"}]`;
  const difference = typeof mosquitto === "object"
    ? mosquitto[version]
    : mosquitto;
  const reason = subject === "mosquitto" ? difference : undefined;
  Deno.test({
    name: title,
    ...(subject === "mosquitto" ? needs("mosquitto") : needs()),
    async fn() {
      // Another Mosquitto may conform.
      if (subject === "mosquitto" && reason && !isKnownMosquitto()) return;
      await using running = await startSubject(subject, limits);
      await using trial = new Trial(
        running,
        subject,
        version,
        reason === undefined,
      );
      if (reason === undefined) await test(trial);
      else await assert.rejects(test(trial), `passes, although ${reason}`);
    },
  });
}
