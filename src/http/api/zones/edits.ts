/**
 * Edits of zones over HTTP: conditions, the zones in a body, and the errors.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { assertZoneName } from "../../../protocol/topics.ts";
import { ProtocolError } from "../../../protocol/errors.ts";
import { quoteName } from "../../../common/printable.ts";
import {
  toFeature,
  type Zone,
  type ZoneEdit,
  ZoneError,
  type ZoneErrorCode,
  type ZoneService,
} from "../../../zones/mod.ts";
import type { RequestContext } from "../../endpoint.ts";
import { overloaded } from "../../limits.ts";
import { problemSpec } from "../../openapi/schemas.ts";
import { Problem } from "../../problem.ts";
import { jsonResponse, matchesETag } from "../../responses.ts";
import { type BodyOptions, readBody } from "../body.ts";

const HASH_LENGTH = 16;
/** Of what is not GeoJSON: the client cannot write it. All others: 422. */
const STATUSES: Partial<Record<ZoneErrorCode, number>> = {
  "bad-utf8": 400,
  "cut-off": 400,
  "bad-json": 400,
  "bad-form": 400,
  "too-large": 413,
  "too-many-zones": 413,
  "too-many-positions": 413,
};

/** The errors of an edit that {@linkcode answerEdit} throws. */
export const EDIT_PROBLEMS = {
  403: problemSpec(
    "The zones are those of a file, or a page of another origin sent it",
  ),
  412: problemSpec("It has changed since the ETag of If-Match, or is there"),
  503: problemSpec(
    "The store fails, or too many edits: send it again after Retry-After",
  ),
};

/** The errors of a body with zones. */
export const BODY_PROBLEMS = {
  400: problemSpec("The body is not GeoJSON, or a name is not valid"),
  408: problemSpec("The body took too long"),
  413: problemSpec("The body is too large, or has too many zones"),
  415: problemSpec("The body is compressed, or multipart"),
  422: problemSpec("A zone is not valid; detail names it and the place"),
};

/** What an edit is about. */
export interface EditTarget {
  /** For messages, such as `The zone "lobby"`. */
  readonly title: string;
  /** Returns the ETag of what is there; undefined if nothing is. */
  etag(): string | undefined;
  /** False if there is nothing that `If-None-Match: *` protects. */
  exists(): boolean;
}

/** All zones. */
export function collectionTarget(zones: ZoneService): EditTarget {
  return {
    title: "The collection of zones",
    etag: () => etagOf(zones),
    exists: () => zones.definitions.size > 0,
  };
}

/** The zone of a name, which may not exist. */
export function zoneTarget(zones: ZoneService, name: string): EditTarget {
  const find = () => zones.definitions.get(name);
  return {
    title: `The zone ${quoteName(name)}`,
    etag() {
      const zone = find();
      return zone === undefined ? undefined : zoneETag(zone);
    },
    exists: () => find() !== undefined,
  };
}

/** Returns the ETag of all zones. */
export function etagOf({ version }: Pick<ZoneService, "version">): string {
  return `"${version}"`;
}

/** Zones are never changed. */
const etags = new WeakMap<Zone, string>();

/** Returns the ETag of one zone, which the other zones do not change. */
export function zoneETag(zone: Zone): string {
  let etag = etags.get(zone);
  if (etag === undefined) {
    const hash = createHash("sha256").update(JSON.stringify(toFeature(zone)));
    etag = `"${hash.digest("hex").slice(0, HASH_LENGTH)}"`;
    etags.set(zone, etag);
  }
  return etag;
}

/** Returns the name of a zone in the path. @throws {Problem} 400 */
export function nameOf({ params }: RequestContext): string {
  // The slash of "%2F.": names have none.
  const name = (params.name ?? "").replace(/^\//, "");
  try {
    assertZoneName(name);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new Problem({
      status: 400,
      code: "bad-name",
      message: error.message,
      hint: "Use one level of a topic, percent-encoded, such as room%202.",
    });
  }
  return name;
}

/** Returns the error for a zone that does not exist. */
export function noZone(name: string): Problem {
  return new Problem({
    status: 404,
    code: "no-zone",
    message: `There is no zone ${quoteName(name)}`,
    hint: "GET /api/v1/zones lists all zones.",
  });
}

/**
 * Checks whether an edit can succeed, before its body is read.
 *
 * @returns rejects with a {@linkcode Problem}: 403 if the zones are those of a
 * file, 412
 */
export async function checkEdit(
  context: RequestContext,
  target: EditTarget,
): Promise<void> {
  const { zones } = context.server;
  if (zones.file === undefined) await zones.synchronized();
  checkCondition(context, target);
}

/**
 * Does the same with the zones as they are.
 *
 * @throws {Problem} 403, 412
 */
export function checkCondition(
  { request, server: { zones }, metrics }: RequestContext,
  target: EditTarget,
): void {
  if (zones.file !== undefined) throw readOnly(zones.file);
  if (isExpected(request.headers, target)) return;
  metrics.zones.addProblem("changed");
  throw changed(target);
}

/**
 * Waits for the turn of an edit: large bodies of many would use up the memory
 * for bodies, and each edit takes time for all zones.
 *
 * @throws {Problem} 503 if too many edits wait
 */
export async function inEditTurn(
  { limits, exchange }: RequestContext,
  edit: () => Promise<Response>,
): Promise<Response> {
  const share = await limits.zoneEdits.take(exchange, 1);
  if (share === undefined) throw overloaded("zoneEdits");
  try {
    return await edit();
  } finally {
    share.release();
  }
}

/**
 * Reads zones from the body, and answers with them. Call it in the turn of the
 * edit.
 *
 * @param limits maximum size of the body, and what to do about a larger one
 * @param read reads the zones; rejects with a {@linkcode ZoneError}
 * @param answer edits the zones
 * @returns rejects with a {@linkcode Problem} that names the feature and the
 * place
 */
export async function withZones<Zones>(
  context: RequestContext,
  limits: Required<Pick<BodyOptions, "maxBytes" | "tooLargeHint">>,
  read: (bytes: Uint8Array) => Promise<Zones>,
  answer: (zones: Zones) => Promise<Response>,
): Promise<Response> {
  const type = context.request.headers.get("content-type") ?? "";
  if (/^\s*multipart\//i.test(type)) {
    throw new Problem({
      status: 415,
      code: "bad-content-type",
      message: "multipart/form-data is not supported",
      hint: "Send the file itself: curl -T zones.geojson.",
    });
  }
  const body = await readBody(context, limits);
  try {
    // The body keeps its share of the memory until the edit is done.
    return await answer(await read(body.bytes));
  } catch (error) {
    throw error instanceof ZoneError ? invalid(error) : error;
  } finally {
    body.release();
  }
}

/**
 * Edits the zones, and answers with the result.
 *
 * @param etag returns the new ETag; undefined if nothing is left
 * @returns rejects with a {@linkcode Problem}: 403, 404, 412, 413 or 503
 */
export async function answerEdit(
  { request, server, metrics }: RequestContext,
  edit: ZoneEdit,
  target: EditTarget,
  etag: (version: string) => string | undefined,
): Promise<Response> {
  const result = await server.zones.edit(
    edit,
    () => isExpected(request.headers, target),
  );
  if (typeof result === "string") metrics.zones.addProblem(result);
  switch (result) {
    case "read-only":
      throw readOnly(server.zones.file);
    case "changed":
      throw changed(target);
    case "no-zone":
      throw noZone(edit.kind === "delete" ? edit.name : "");
    case "too-large":
      throw new Problem({
        status: 413,
        code: "too-large",
        message: "There would be too many zones, or too many corners",
        hint:
          "Delete zones that are not needed; docs/ZONES.md lists the limits.",
      });
    case "starting":
    case "stopping":
    case "store-failing":
      throw new Problem({
        status: 503,
        code: result,
        message: server.store().problem ??
          "The server cannot change the zones now",
        // Not that nothing was changed: a slow commit may still end.
        hint: "Send it again in a moment.",
        headers: { "retry-after": "2" },
      });
  }
  metrics.zones.addEdit(result);
  const tag = etag(result.version);
  return jsonResponse(result, {
    status: edit.kind === "set" && result.added > 0 ? 201 : 200,
    headers: tag === undefined ? {} : { etag: tag },
  });
}

/**
 * Evaluates `If-Match` and `If-None-Match` (RFC 9110, 13.2.2). If-Match compares
 * weakly too: proxies that compress make an ETag weak.
 */
function isExpected(headers: Headers, target: EditTarget): boolean {
  const match = headers.get("if-match");
  const noneMatch = headers.get("if-none-match");
  const etag = target.etag();
  if (match !== null && (etag === undefined || !matchesETag(match, etag))) {
    return false;
  }
  if (noneMatch === null || !target.exists()) return true;
  return !matchesETag(noneMatch, etag!);
}

function changed(target: EditTarget): Problem {
  const etag = target.etag();
  return new Problem({
    status: 412,
    code: "changed",
    message: etag === undefined
      ? `${target.title} does not exist any more`
      : `${target.title} is not as the request expects: it was changed or added meanwhile`,
    hint: etag === undefined
      ? "Send it without If-Match to add it again."
      : "GET it, make your change again, and send it with the ETag of the answer in If-Match.",
    ...(etag !== undefined && { headers: { etag } }),
  });
}

function readOnly(file: string | undefined): Problem {
  return new Problem({
    status: 403,
    code: "read-only",
    message: `The zones are those of the file ${file ?? ""}`.trimEnd(),
    hint:
      "Change the file: the server reads it again. Or start the server without --zones.",
  });
}

function invalid(error: ZoneError): Problem {
  const { code, message, hint, feature } = error;
  return new Problem({
    status: STATUSES[code] ?? 422,
    code,
    message,
    hint,
    ...(feature !== undefined && { extensions: { feature } }),
  });
}
