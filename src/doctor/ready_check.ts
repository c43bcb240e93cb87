import { excerpt } from "../common/printable.ts";
import type { Check } from "./check.ts";
import { type Finding, finding } from "./finding.ts";
import { askLocalServer } from "./http_server.ts";

/** Another program may answer: a longer text is cut. */
const MAX_TEXT_LENGTH = 200;
/** More reasons are not printed. */
const MAX_REASONS = 8;

/**
 * Asks the server that runs on this machine whether it is ready: one of a group
 * also says how far it is behind the others.
 */
export const readyCheck: Check = {
  name: "ready",
  run: async ({ options }) => {
    const answer = await askLocalServer(options, "/readyz");
    if (answer === undefined) return [];
    return judgeReadiness(answer.where, answer.status, answer.body);
  },
};

/**
 * Judges the answer to `GET /readyz`.
 *
 * @param where the address of the server
 * @param status of the response
 * @param body of the response, as JSON
 * @returns none if it is not the answer of a server
 */
export function judgeReadiness(
  where: string,
  status: number,
  body: unknown,
): Finding[] {
  if (typeof body !== "object" || body === null) return [];
  if (status === 200 && "status" in body && body.status === "ready") {
    return [finding("ok", `The server on ${where} is ready`)];
  }
  const reasons = "reasons" in body && Array.isArray(body.reasons)
    ? (body.reasons as unknown[]).filter(isReason).slice(0, MAX_REASONS)
    : [];
  return reasons.map(({ code, message }) =>
    finding(
      "warning",
      `The server on ${where} is not ready: ${
        excerpt(message, MAX_TEXT_LENGTH)
      }`,
      {
        hint: code === "behind"
          ? "It is too slow for all readings of the group, or was away: see docs/SCALING.md, Monitoring."
          : "The server retries by itself. Its log has the details.",
        data: { code: excerpt(code, MAX_TEXT_LENGTH) },
      },
    )
  );
}

function isReason(value: unknown): value is { code: string; message: string } {
  return typeof value === "object" && value !== null &&
    "code" in value && typeof value.code === "string" &&
    "message" in value && typeof value.message === "string";
}
