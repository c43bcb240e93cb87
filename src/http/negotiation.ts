/**
 * Whether an If-None-Match header has this ETag (RFC 9110, 13.1.2): weakly
 * compared, a list or `*`.
 *
 * @param header as sent, if it was
 * @param etag quotes included, weak or not
 */
export function hasETag(header: string | null, etag: string): boolean {
  if (header === null) return false;
  if (header.trim() === "*") return true;
  const bare = (tag: string) => tag.trim().replace(/^W\//, "");
  return header.split(",").some((tag) => bare(tag) === bare(etag));
}

/**
 * Whether gzip is welcome by an Accept-Encoding header (RFC 9110, 12.5.3).
 *
 * @param header as sent, if it was
 */
export function acceptsGzip(header: string | null): boolean {
  if (header === null) return false;
  let any = false;
  for (const part of header.split(",")) {
    const [coding = "", ...rest] = part.split(";").map((text) =>
      text.trim().toLowerCase()
    );
    const refused = rest.some((text) => /^q=0(?:\.0*)?$/.test(text));
    if (coding === "gzip") return !refused;
    if (coding === "*") any = !refused;
  }
  return any;
}
