/// <reference lib="dom" />
/**
 * Test support: checks the accessibility of a page.
 *
 * @module
 */
import type { PageSession } from "./session.ts";

/** Returns the serious violations that axe-core finds. */
export async function violations(session: PageSession): Promise<string[]> {
  // Imported here: it reads the environment, which tests without permissions
  // cannot.
  const { default: axe } = await import("axe-core");
  await session.page.evaluate(axe.source);
  return await session.page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: typeof import("axe-core") };
    const result = await axe.run(document);
    if (result.passes.length < 20) return ["axe-core has tested nothing"];
    return result.violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .flatMap(({ id, nodes }) =>
        nodes.map(({ html, failureSummary }) =>
          `${id}: ${html} ${failureSummary}`
        )
      );
  });
}
