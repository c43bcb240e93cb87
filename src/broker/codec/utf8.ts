/**
 * UTF-8 as MQTT allows it (MQTT 5, 1.5.4; MQTT 3.1.1, 1.5.3).
 *
 * @module
 */

/** What {@linkcode scanUtf8} found. */
export const TextKind = {
  /** Not UTF-8, or with U+0000: the connection must end. */
  Invalid: 0,
  /** Valid, without control characters. */
  Plain: 1,
  /**
   * Valid, with U+0001 to U+001F or U+007F to U+009F, which a sender should not
   * use and a receiver may refuse.
   */
  WithControls: 2,
} as const;

/** One of the numbers of {@linkcode TextKind}. */
export type TextKind = typeof TextKind[keyof typeof TextKind];

/** Texts up to this length are decoded without a TextDecoder, if ASCII. */
const SHORT_TEXT_BYTES = 48;

// A byte order mark is part of the text (MQTT 5, 1.5.4-3).
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Checks bytes `from` to `to` (exclusive). Allocates nothing.
 *
 * Refuses ill-formed UTF-8: overlong forms, surrogates, values above U+10FFFF,
 * sequences that are cut (MQTT 5, 1.5.4-1), and U+0000 (MQTT 5, 1.5.4-2).
 */
export function scanUtf8(
  bytes: Uint8Array,
  from: number,
  to: number,
): TextKind {
  let kind: TextKind = TextKind.Plain;
  for (let at = from; at < to;) {
    const lead = bytes[at++]!;
    if (lead < 0x80) {
      if (lead < 0x20 || lead === 0x7f) {
        if (lead === 0) return TextKind.Invalid;
        kind = TextKind.WithControls;
      }
      continue;
    }
    const more = continuations(lead);
    if (more === 0 || at + more > to) return TextKind.Invalid;
    const second = bytes[at]!;
    if (second < lowestSecond(lead) || second > highestSecond(lead)) {
      return TextKind.Invalid;
    }
    if (lead === 0xc2 && second < 0xa0) kind = TextKind.WithControls;
    for (let i = 1; i < more; i++) {
      if ((bytes[at + i]! & 0xc0) !== 0x80) return TextKind.Invalid;
    }
    at += more;
  }
  return kind;
}

/** Decodes bytes `from` to `to` (exclusive), which must be valid. */
export function decodeUtf8(
  bytes: Uint8Array,
  from: number,
  to: number,
): string {
  const length = to - from;
  if (length <= SHORT_TEXT_BYTES) {
    const text = decodeAscii(bytes, from, length);
    if (text !== undefined) return text;
  }
  return decoder.decode(bytes.subarray(from, to));
}

/** Takes half the time of a TextDecoder; undefined if a byte is not ASCII. */
function decodeAscii(
  bytes: Uint8Array,
  from: number,
  length: number,
): string | undefined {
  const codes = new Array<number>(length);
  for (let i = 0; i < length; i++) {
    const code = bytes[from + i]!;
    if (code >= 0x80) return undefined;
    codes[i] = code;
  }
  return String.fromCharCode.apply(null, codes);
}

/** Number of bytes after a first byte of 0x80 or more; 0: not a first byte. */
function continuations(lead: number): number {
  if (lead < 0xc2) return 0;
  if (lead < 0xe0) return 1;
  if (lead < 0xf0) return 2;
  return lead < 0xf5 ? 3 : 0;
}

/** Lower ones are overlong forms (RFC 3629, 4). */
function lowestSecond(lead: number): number {
  return lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
}

/** Higher ones are surrogates, or above U+10FFFF (RFC 3629, 4). */
function highestSecond(lead: number): number {
  return lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
}
