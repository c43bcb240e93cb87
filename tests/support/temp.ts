/** A directory that is removed at the end of its scope. */
export interface TempDir extends AsyncDisposable {
  readonly path: string;
  /** Writes a file into the directory and returns its path. */
  file(name: string, content: string | Uint8Array): Promise<string>;
}

/** Creates a temporary directory. */
export async function tempDir(): Promise<TempDir> {
  const path = await Deno.makeTempDir({ prefix: "occupancy-test-" });
  return {
    path,
    file: async (name, content) => {
      const file = `${path}/${name}`;
      await Deno.writeFile(
        file,
        typeof content === "string"
          ? new TextEncoder().encode(content)
          : content,
      );
      return file;
    },
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

export { freePort } from "../../tools/cluster/processes.ts";
