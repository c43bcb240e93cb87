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

/** Those of FNV-1a. */
const OFFSET = 0x811c9dc5;
const PRIME = 0x01000193;

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
  return new Hash().addText(text).toString();
}

/** A hash of 32 bits, of UTF-16 code units and words of numbers. */
export class Hash {
  static readonly #number = new Float64Array(1);
  static readonly #words = new Uint32Array(Hash.#number.buffer);
  #hash = OFFSET;

  addText(text: string): this {
    for (let i = 0; i < text.length; i++) this.#add(text.charCodeAt(i));
    return this;
  }

  addNumber(value: number): this {
    Hash.#number[0] = value + 0; // -0 is 0
    this.#add(Hash.#words[0]!);
    this.#add(Hash.#words[1]!);
    return this;
  }

  /** As eight hexadecimal digits. */
  toString(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, "0");
  }

  #add(word: number): void {
    const product = Math.imul(this.#hash ^ word, PRIME);
    // Numbers differ in their upper bits, which a product never moves down.
    this.#hash = product ^ (product >>> 15);
  }
}
