/**
 * Makes ids of names: Home Assistant allows only some characters in ids.
 *
 * @module
 */

/**
 * Maximum length of a slug, in characters. An entity id is made of two slugs
 * and a suffix, and has at most 255 characters.
 */
const MAX_SLUG_LENGTH = 80;

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/**
 * Returns a name in lower case ASCII letters and digits, and single underscores
 * between them: `kuche_2` of `Küche 2`.
 *
 * @param name any text
 * @returns empty if nothing is left, such as of a Chinese name
 */
export function slugOf(name: string): string {
  return name.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase()
    .replace(/[^a-z0-9]+/g, "_").slice(0, MAX_SLUG_LENGTH)
    .replace(/^_|_$/g, "");
}

/**
 * Returns the name itself if it is a slug, or else its slug with a hash, so that
 * different names have different ids.
 *
 * @param name any text
 */
export function idOf(name: string): string {
  const slug = slugOf(name);
  if (slug === name) return slug;
  return slug === "" ? hashOf(name) : `${slug}_${hashOf(name)}`;
}

/** Returns a hash of a text as eight hexadecimal digits. */
export function hashOf(text: string): string {
  let hash = FNV_OFFSET;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), FNV_PRIME);
  }
  return (hash >>> 0).toString(16).padStart(8, "0");
}
