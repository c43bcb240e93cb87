import type { Check } from "./check.ts";
import { type Finding, finding } from "./finding.ts";

/** The oldest supported version of Deno. */
const MIN_VERSION = [2, 6] as const;

/** Checks that this version of Deno is supported. */
export const denoCheck: Check = {
  name: "deno",
  run: () => [judgeDeno(Deno.version.deno)],
};

/**
 * Judges a version of Deno.
 *
 * @param version for example `2.9.6`
 */
export function judgeDeno(version: string): Finding {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [minMajor, minMinor] = MIN_VERSION;
  const supported = major > minMajor ||
    major === minMajor && minor >= minMinor;
  const data = { version };
  if (supported) return finding("ok", `Deno ${version}`, { data });
  return finding("error", `Deno ${version} is too old`, {
    hint: `Use ${MIN_VERSION.join(".")} or newer, such as npx deno@2.9.6.`,
    data,
  });
}
