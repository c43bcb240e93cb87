/**
 * The executables: their platforms, names and permissions.
 *
 * @module
 */

/** A platform with an executable. */
export interface Target {
  /** Its name in Deno, a Rust target triple. */
  readonly triple: string;
  /** Its part of the file name. */
  readonly label: string;
}

/** All platforms. */
export const TARGETS: readonly Target[] = [
  { triple: "x86_64-unknown-linux-gnu", label: "linux-x86_64" },
  { triple: "aarch64-unknown-linux-gnu", label: "linux-aarch64" },
  { triple: "x86_64-apple-darwin", label: "macos-x86_64" },
  { triple: "aarch64-apple-darwin", label: "macos-aarch64" },
  { triple: "x86_64-pc-windows-msvc", label: "windows-x86_64" },
];

/** The environment variables that the program reads. */
const VARIABLES: readonly string[] = [
  ...["OCCUPANCY_*", "DENO_DIR", "HOME", "USERPROFILE", "LOCALAPPDATA"],
  ...["XDG_*", "TERM", "XTERM_VERSION", "COLORTERM", "COLUMNS", "LINES"],
  ...["NO_COLOR", "PAGER", "LESS", "LV", "MQTTJS_SOCKS_PROXY"],
];

/**
 * Permissions of the bundle and the executables: the fewest that serve every
 * command.
 *
 * - `net`: any broker; the ports of the embedded broker and of HTTP.
 * - `read`: readings, certificates and the store, anywhere.
 * - `write`: the store, anywhere.
 * - `env`: the settings, and what the terminal, the pager and the folders of the
 *   user need. Other variables seem not to be set: a library of mqtt.js
 *   (`debug`) lists the environment when it is loaded.
 * - `run`: the pager of the user's choice, and `tail`, which detects that a pipe
 *   is closed.
 * - `sys`: the size of the memory, which limits the map.
 *
 * A command gives up the kinds that it does not use (`cli/program.ts`). Not
 * granted: native libraries, other facts about the machine. `--no-prompt`: a
 * missing permission fails immediately, because a service cannot answer a
 * prompt.
 */
export const PERMISSIONS: readonly string[] = [
  "--no-prompt",
  "--allow-net",
  "--allow-read",
  "--allow-write",
  `--allow-env=${VARIABLES.join()}`,
  "--ignore-env",
  "--allow-run",
  "--allow-sys=systemMemoryInfo",
];

/**
 * The target of a machine.
 *
 * @param triple default: this machine's
 * @returns undefined if no executable is made for it
 */
export function hostTarget(
  triple: string = Deno.build.target,
): Target | undefined {
  return TARGETS.find((target) => target.triple === triple);
}

/** @returns such as `occupancy-0.1.0-linux-x86_64`, with `.exe` for Windows */
export function executableName(version: string, { label }: Target): string {
  const suffix = label.startsWith("windows") ? ".exe" : "";
  return `occupancy-${version}-${label}${suffix}`;
}
