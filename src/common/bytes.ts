/**
 * Joins bytes, and counts those of texts.
 *
 * @module
 */

/**
 * Returns the bytes of all parts, one after the other.
 *
 * @param parts the parts; not changed
 * @returns a copy
 */
export function joinBytes(
  parts: readonly Uint8Array[],
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(
    parts.reduce((sum, { length }) => sum + length, 0),
  );
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/**
 * Returns true if a text takes more bytes in UTF-8.
 *
 * @param text any text
 * @param bytes the maximum
 */
export function isLongerThan(text: string, bytes: number): boolean {
  // A UTF-16 code unit takes at most three bytes: encode only long texts.
  return text.length * 3 > bytes &&
    new TextEncoder().encode(text).length > bytes;
}
