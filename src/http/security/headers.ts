/**
 * What browsers may do with our answers. Nothing is loaded from another address,
 * nothing runs that is written into the page, nobody puts it into a frame
 * (Content Security Policy Level 3).
 */
export const CONTENT_SECURITY_POLICY: string = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");

const HEADERS: readonly (readonly [string, string])[] = [
  ["content-security-policy", CONTENT_SECURITY_POLICY],
  ["x-content-type-options", "nosniff"],
  ["referrer-policy", "no-referrer"],
  ["x-frame-options", "DENY"],
  ["cross-origin-resource-policy", "same-origin"],
  ["cross-origin-opener-policy", "same-origin"],
];

/** Adds the headers that every answer has. Upgrades to a WebSocket stay as they are. */
export function secured(response: Response): Response {
  if (response.status === 101) return response;
  for (const [name, value] of HEADERS) response.headers.set(name, value);
  return response;
}
