/** The file that lists the checksums of a release. */
export const SUMS = "SHA256SUMS";

/**
 * A line for each file, as `sha256sum -c` reads them: digest, two spaces, name.
 *
 * @param folder where the files are
 * @param names of the files; they come out in this order
 */
export async function checksums(
  folder: string,
  names: readonly string[],
): Promise<string> {
  const lines = await Promise.all(names.map(async (name) => {
    const content = await Deno.readFile(`${folder}/${name}`);
    const digest = await crypto.subtle.digest("SHA-256", content);
    return `${new Uint8Array(digest).toHex()}  ${name}\n`;
  }));
  return lines.join("");
}
