/** A directory that is gone when the test is over. */
export interface TempDir extends AsyncDisposable {
  readonly path: string;
  /** Writes a file there; returns its path. */
  file(name: string, content: string | Uint8Array): Promise<string>;
}

/** Makes one. */
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

/** A TCP port on the loopback that was free a moment ago. */
export function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  return port;
}
