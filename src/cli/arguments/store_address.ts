import { defaultStorePath } from "../../store/location.ts";

/**
 * The store that the flags name, else a file of the server's own; undefined if
 * the platform names no folder for it.
 */
export function storeAddress(
  flags: { readonly store?: string; readonly name: string },
): string | undefined {
  if (flags.store !== undefined) return flags.store;
  const env = (name: string) => Deno.env.get(name);
  const path = defaultStorePath(flags.name, Deno.build.os, env);
  return path && `sqlite:${path}`;
}
