/** A platform that executables are made for. */
export interface Target {
  /** As Deno names it (a Rust target triple). */
  readonly triple: string;
  /** As the name of the file says it. */
  readonly label: string;
}

/** All of them. */
export const TARGETS: readonly Target[] = [
  { triple: "x86_64-unknown-linux-gnu", label: "linux-x86_64" },
  { triple: "aarch64-unknown-linux-gnu", label: "linux-aarch64" },
  { triple: "x86_64-apple-darwin", label: "macos-x86_64" },
  { triple: "aarch64-apple-darwin", label: "macos-aarch64" },
  { triple: "x86_64-pc-windows-msvc", label: "windows-x86_64" },
];

/** The target of this machine; undefined if executables are not made for it. */
export function hostTarget(
  triple: string = Deno.build.target,
): Target | undefined {
  return TARGETS.find((target) => target.triple === triple);
}

/** `occupancy-0.1.0-linux-x86_64`, with `.exe` for Windows. */
export function executableName(version: string, { label }: Target): string {
  const suffix = label.startsWith("windows") ? ".exe" : "";
  return `occupancy-${version}-${label}${suffix}`;
}
