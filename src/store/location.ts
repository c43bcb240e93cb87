/**
 * Where a server keeps its map unless told otherwise: the platform's folder for
 * data of the user (XDG Base Directory Specification 0.8; Apple's File System
 * Programming Guide; Windows' Known Folders).
 *
 * @param name the server's name: each has a file of its own
 * @param os as `Deno.build.os`
 * @param env looks up an environment variable
 * @returns a path, or undefined if the platform names no such folder
 */
export function defaultStorePath(
  name: string,
  os: string,
  env: (variable: string) => string | undefined,
): string | undefined {
  const file = `${fileName(name)}.sqlite`;
  if (os === "windows") {
    const base = env("LOCALAPPDATA");
    return base && `${base}\\occupancy\\${file}`;
  }
  const home = env("HOME");
  if (os === "darwin") {
    return home && `${home}/Library/Application Support/occupancy/${file}`;
  }
  const base = env("XDG_DATA_HOME") || (home && `${home}/.local/share`);
  return base && `${base}/occupancy/${file}`;
}

/** A file name of its own for each name, whatever characters it has (RFC 3986, 2.1). */
function fileName(name: string): string {
  return encodeURIComponent(name).replaceAll("*", "%2A");
}
