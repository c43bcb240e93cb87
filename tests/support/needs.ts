/**
 * The permissions and programs that a test needs. Without them the test is
 * ignored: `deno test` without flags has no permissions. With
 * OCCUPANCY_TEST_ALL=1 a missing program makes the test fail instead.
 *
 * @module
 */
import { findProgram } from "../../tools/cluster/programs.ts";

/** Programs that tests run, besides Deno itself. */
export type Tool =
  | "bash"
  | "chromium"
  | "curl"
  | "fish"
  | "groff"
  | "jinja"
  | "less"
  | "man"
  | "mosquitto"
  | "nginx"
  | "openssl"
  | "paho"
  | "promtool"
  | "redis-cli"
  | "redis-server"
  | "script"
  | "sh"
  | "zsh"
  | "jq"
  | "mosquitto_passwd"
  | "mosquitto_pub"
  | "mosquitto_sub";

const PERMISSIONS = ["net", "read", "write", "run", "env", "sys"] as const;
/** Tools that are modules of Python: those of Debian's packages, for example. */
const PYTHON_MODULES: Partial<Record<Tool, string>> = {
  jinja: "jinja2",
  paho: "paho.mqtt.client",
};
/** Debian's interpreter first: its packages are for that one. */
const PYTHONS = ["/usr/bin/python3", "python3"];

/** Returns true if the tests have all permissions that any test needs. */
export function permitted(): boolean {
  return PERMISSIONS.every((name) =>
    Deno.permissions.querySync({ name }).state === "granted"
  );
}

/**
 * Ignores a test if a permission or a program is missing.
 *
 * @param tools the programs that the test runs
 *
 * @example
 * ```ts ignore
 * Deno.test({ name: "…", ...needs("mosquitto"), fn: async () => {} });
 * ```
 */
export function needs(...tools: Tool[]): { ignore: boolean } {
  if (!permitted()) return { ignore: true };
  if (Deno.env.get("OCCUPANCY_TEST_ALL") === "1") return { ignore: false };
  return { ignore: tools.some((tool) => findTool(tool) === undefined) };
}

const found = new Map<Tool, string | undefined>();

/** Returns the path of a program; undefined if it is not installed. */
export function findTool(tool: Tool): string | undefined {
  if (!found.has(tool)) {
    const module = PYTHON_MODULES[tool];
    found.set(
      tool,
      module === undefined ? findProgram(tool) : findPython(module),
    );
  }
  return found.get(tool);
}

/** Returns the path of a program. @throws {Error} if it is not installed */
export function requireTool(tool: Tool): string {
  const path = findTool(tool);
  if (path === undefined) throw new Error(`Cannot find ${tool}: install it`);
  return path;
}

/** Returns a Python interpreter that has a module. */
function findPython(module: string): string | undefined {
  return PYTHONS.find((python) => {
    try {
      const args = ["-c", `import ${module}`];
      return new Deno.Command(python, { args, stderr: "null" })
        .outputSync().success;
    } catch {
      return false;
    }
  });
}
