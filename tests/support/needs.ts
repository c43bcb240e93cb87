/**
 * What a test needs beyond pure computing. `deno test` without flags has no
 * permissions and shows such tests as ignored; so does a machine without the
 * tool, unless OCCUPANCY_TEST_ALL=1 says that all tools must be there: then the
 * test runs, and fails.
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
  | "man"
  | "mosquitto"
  | "openssl"
  | "paho"
  | "promtool"
  | "script"
  | "sh"
  | "zsh"
  | "jq"
  | "mosquitto_pub";

const PERMISSIONS = ["net", "read", "write", "run", "env", "sys"] as const;
/** Debian's interpreter first: it is the one that python3-paho-mqtt is for. */
const PYTHONS = ["/usr/bin/python3", "python3"];
const TOOL_FOLDERS = ["/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin"];

/** True if the tests were given all permissions that those over IO use. */
export function permitted(): boolean {
  return PERMISSIONS.every((name) =>
    Deno.permissions.querySync({ name }).state === "granted"
  );
}

/**
 * The part of a test's definition that says whether it can run here.
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

/** The program's path, or its name if the PATH leads to it; undefined if it is not here. */
export function findTool(tool: Tool): string | undefined {
  if (!found.has(tool)) {
    found.set(tool, tool === "paho" ? findPaho() : findProgram(tool));
  }
  return found.get(tool);
}

/** The program's path. @throws {Error} if it is not here */
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

/** An interpreter that has paho-mqtt. */
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
