/**
 * Names and ids for new zones.
 *
 * @module
 */

/** Longest name that is made from a title, so that a number can follow. */
const MAX_SLUG_LENGTH = 60;

/**
 * Makes a name of a title: one topic level that is easy to type.
 *
 * @returns such as `meeting-room-2.14` for "Meeting room 2.14"; "zone" if the
 * title has no letters or digits
 */
export function slugOf(title: string): string {
  const slug = title.normalize("NFKD").replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}.]+/gu, "-")
    .replace(/^[-.]+|[-.]+$/g, "");
  // By code points, so that no pair of surrogates is divided.
  return [...slug].slice(0, MAX_SLUG_LENGTH).join("") || "zone";
}

/**
 * Returns a text that is not taken: the wanted one, or one with a number.
 *
 * @param wanted such as `room`; a number at its end is counted up
 * @param separator before the number
 */
export function freeName(
  wanted: string,
  isTaken: (name: string) => boolean,
  separator = "-",
): string {
  if (!isTaken(wanted)) return wanted;
  const [, stem = wanted, digits] = /^(.*?)[- ](\d{1,6})$/.exec(wanted) ?? [];
  for (let number = Number(digits ?? 1) + 1;; number++) {
    const name = `${stem}${separator}${number}`;
    if (!isTaken(name)) return name;
  }
}

/**
 * Returns a random UUID of version 4 (RFC 9562, 5.4). `crypto.randomUUID` does
 * not exist in a page that was loaded without TLS.
 */
export function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = bytes[6]! & 0x0f | 0x40;
  bytes[8] = bytes[8]! & 0x3f | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"));
  return hex.join("").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
