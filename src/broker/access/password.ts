/**
 * Hashes of passwords: scrypt (RFC 7914), computed beside the event loop.
 *
 * @module
 */
import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";

/** What a password must hash to. */
export interface PasswordHash {
  /** As in the file: `$scrypt$ln=14,r=8,p=1$SALT$HASH`. */
  readonly text: string;
  readonly cost: ScryptCost;
  readonly salt: Uint8Array;
  readonly hash: Uint8Array;
}

/** The parameters of scrypt. */
export interface ScryptCost {
  /** The binary logarithm of N. */
  readonly ln: number;
  readonly r: number;
  readonly p: number;
}

/**
 * The cost of new hashes, the default of `node:crypto`: about 60 ms of a core
 * and 16 MiB. More would delay the clients of a broker that was started again.
 */
export const DEFAULT_COST: ScryptCost = { ln: 14, r: 8, p: 1 };

const SALT_BYTES = 16;
const HASH_BYTES = 32;
const MIN_SALT_BYTES = 8;
const MIN_HASH_BYTES = 16;
/** Of a salt or a hash in a file. */
const MAX_FIELD_BYTES = 64;
/** The most memory for one hash. */
const MAX_MEMORY_BYTES = 128 * 1024 * 1024;
/** The most work for one hash: N × r × p, about a second of a core. */
const MAX_WORK = 2 ** 20;

const FORM =
  /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,3}),p=(\d{1,3})\$([^$]+)\$([^$]+)$/;

/**
 * Parses a hash.
 *
 * @param text as in the file
 * @returns undefined if it is not a hash, or one that costs too much
 */
export function parsePasswordHash(text: string): PasswordHash | undefined {
  const match = FORM.exec(text);
  if (match === null) return undefined;
  const [ln, r, p] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const work = 2 ** ln * r * p;
  const memory = memoryOf({ ln, r, p });
  if (ln < 1 || work < 1 || work > MAX_WORK || memory > MAX_MEMORY_BYTES) {
    return undefined;
  }
  const salt = decodeBase64(match[4]!);
  const hash = decodeBase64(match[5]!);
  if (salt === undefined || salt.length < MIN_SALT_BYTES) return undefined;
  if (hash === undefined || hash.length < MIN_HASH_BYTES) return undefined;
  return { text, cost: { ln, r, p }, salt, hash };
}

/**
 * Hashes a password with a new salt.
 *
 * @param password the password, not empty
 * @param cost the parameters of scrypt
 */
export async function hashPassword(
  password: Uint8Array,
  cost: ScryptCost = DEFAULT_COST,
): Promise<PasswordHash> {
  const salt = new Uint8Array(randomBytes(SALT_BYTES));
  const hash = await derive(password, salt, HASH_BYTES, cost);
  const { ln, r, p } = cost;
  const fields = [`ln=${ln},r=${r},p=${p}`, encodeBase64(salt)];
  const text = `$scrypt$${fields.join("$")}$${encodeBase64(hash)}`;
  return { text, cost, salt, hash };
}

/**
 * Returns a hash that no password has, which takes as long to check.
 *
 * @param cost the parameters of scrypt
 */
export function unmatchableHash(cost: ScryptCost): PasswordHash {
  const salt = new Uint8Array(randomBytes(SALT_BYTES));
  const hash = new Uint8Array(randomBytes(HASH_BYTES));
  return { text: "", cost, salt, hash };
}

/**
 * Returns true if a password is the right one. The comparison takes the same
 * time for every password.
 *
 * @param password what the client sent
 * @param expected the hash of the right password
 */
export async function verifyPassword(
  password: Uint8Array,
  { cost, salt, hash }: PasswordHash,
): Promise<boolean> {
  return timingSafeEqual(
    await derive(password, salt, hash.length, cost),
    hash,
  );
}

function derive(
  password: Uint8Array,
  salt: Uint8Array,
  bytes: number,
  cost: ScryptCost,
): Promise<Uint8Array> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const { ln, r, p } = cost;
  const options = { N: 2 ** ln, r, p, maxmem: 2 * memoryOf(cost) };
  scrypt(password, salt, bytes, options, (error, key) => {
    if (error) reject(error);
    else resolve(key);
  });
  return promise;
}

/** The memory that scrypt needs, in bytes (RFC 7914, 2 and 5). */
function memoryOf({ ln, r, p }: ScryptCost): number {
  return 128 * r * (2 ** ln + p + 2);
}

/** Without padding, as in the hashes of other programs (PHC string format). */
function encodeBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replace(/=+$/, "");
}

function decodeBase64(text: string): Uint8Array | undefined {
  if (!/^[A-Za-z0-9+/]+$/.test(text)) return undefined;
  if (text.length > MAX_FIELD_BYTES * 2) return undefined;
  try {
    const binary = atob(text);
    const bytes = new Uint8Array(binary.length);
    for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
    return bytes;
  } catch {
    return undefined; // a length that base64 cannot have
  }
}
