/**
 * An answer that is not to be kept: what it says may be another the next moment.
 *
 * @param value what `JSON.stringify` takes
 * @param status 200 by default
 */
export function jsonResponse(value: unknown, status = 200): Response {
  return new Response(`${JSON.stringify(value)}\n`, {
    status,
    headers: {
      "content-type": "application/json",
      "cache-control": "no-store",
    },
  });
}
