/**
 * The permissions and programs that a test needs. Without them the test is
 * ignored: `deno test` without flags has no permissions. With
 * OCCUPANCY_TEST_ALL=1 a missing program makes the test fail instead.
 *
 * @module
 */

/** Programs that tests run, besides Deno itself. */
export type Tool =
  | "bash"
  | "chromium"
  | "curl"
  | "fish"
  | "groff"
  | "less"
  | "man"
  | "mosquitto"
  | "nginx"
  | "openssl"
  | "paho"
  | "promtool"
  | "script"
  | "sh"
  | "zsh"
  | "jq"
  | "mosquitto_passwd"
  | "mosquitto_pub"
  | "mosquitto_sub";

const PERMISSIONS = ["net", "read", "write", "run", "env", "sys"] as const;
/**
 * Debian's interpreter first: its package python3-paho-mqtt is for that one.
 */
const PYTHONS = ["/usr/bin/python3", "python3"];
const TOOL_FOLDERS = ["/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin"];

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
    found.set(tool, tool === "paho" ? findPaho() : findProgram(tool));
  }
  return found.get(tool);
}

/** Returns the path of a program. @throws {Error} if it is not installed */
export function requireTool(tool: Tool): string {
  const path = findTool(tool);
  if (path === undefined) throw new Error(`Cannot find ${tool}: install it`);
  return path;
}

function findProgram(name: string): string | undefined {
  const folders = [
    ...(Deno.env.get("PATH") ?? "").split(":"),
    ...TOOL_FOLDERS,
  ];
  return folders.map((folder) => `${folder}/${name}`).find(isFile);
}

/** Returns a Python interpreter that has paho-mqtt. */
function findPaho(): string | undefined {
  return PYTHONS.find((python) => {
    try {
      const args = ["-c", "import paho.mqtt.client"];
      return new Deno.Command(python, { args, stderr: "null" })
        .outputSync().success;
    } catch {
      return false;
    }
  });
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
