/**
 * Serves the files of the dashboard from memory; they are part of the program.
 *
 * @module
 */
import type { WebRequest } from "../listener/incoming.ts";
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import script from "./built/app.js" with { type: "text" };
import laterStyles from "./built/later.css" with { type: "text" };
import later from "./built/later.js" with { type: "text" };
import shared from "./built/shared.js" with { type: "text" };
import styles from "./built/app.css" with { type: "text" };
import icon from "./built/icon.svg" with { type: "text" };
import html from "./built/index.html" with { type: "text" };
import login from "./built/login.html" with { type: "text" };
import { FixedResponse } from "../fixed_response.ts";
import { acceptsGzip, matchesETag } from "../responses.ts";

/** For names with a hash of the content: changed content has a new name. */
const CACHE_CONTROL_IMMUTABLE = "public, max-age=31536000, immutable";
/** For the page itself: browsers revalidate it with its ETag. */
const CACHE_CONTROL_REVALIDATE = "no-cache";
const HASH_LENGTH = 12;

/** A file of the dashboard. */
interface Asset {
  /** Content-Type. */
  readonly type: string;
  /** Cache-Control. */
  readonly caching: string;
  /** With its quotes (RFC 9110, 8.8.3). */
  readonly etag: string;
  readonly plain: Uint8Array<ArrayBuffer>;
  readonly gzipped: Uint8Array<ArrayBuffer>;
}

let assets: ReadonlyMap<string, Asset> | undefined;
/** The login page, without its values. */
let loginPage: string | undefined;

/**
 * Answers `GET` and `HEAD` of `/` and of the files under `/assets/`.
 *
 * @returns undefined if there is no such file
 */
export function dashboardResponse(request: WebRequest): Response | undefined {
  // At the first request, because compression is slow.
  assets ??= prepareAssets();
  const asset = assets.get(new URL(request.url).pathname);
  if (asset === undefined) return undefined;
  const headers = new Headers({
    "cache-control": asset.caching,
    "etag": asset.etag,
    "vary": "accept-encoding",
  });
  if (matchesETag(request.headers.get("if-none-match"), asset.etag)) {
    return new Response(null, { status: 304, headers });
  }
  const zipped = acceptsGzip(request.headers.get("accept-encoding"));
  const body = zipped ? asset.gzipped : asset.plain;
  if (zipped) headers.set("content-encoding", "gzip");
  headers.set("content-type", asset.type);
  headers.set("content-length", String(body.length));
  return request.method === "HEAD"
    ? new Response(null, { headers })
    : new FixedResponse(body, { headers });
}

/** Values for the login page. */
export interface LoginValues {
  /** Where to send the form; empty for the page's own address. */
  readonly action: string;
  /** Why an earlier login failed; empty for none. */
  readonly problem: string;
}

/** Returns the login page. It has to be served at `/`. */
export function loginHtml({ action, problem }: LoginValues): string {
  loginPage ??= withAssetNames(login);
  return loginPage
    .replace("%action%", () => escapeHtml(action))
    .replace("%problem%", () => escapeHtml(problem));
}

/** A file below `/assets/`. */
interface AssetFile {
  /** As the files name it that load it. */
  readonly name: string;
  /** Content-Type. */
  readonly type: string;
  readonly text: string;
}

const SCRIPT = "text/javascript; charset=utf-8";
const STYLES = "text/css; charset=utf-8";

/**
 * The files below `/assets/`. A script follows those that it loads, because
 * the hash of their content is in the names by which it loads them.
 */
const SOURCES: readonly AssetFile[] = [
  { name: "shared.js", type: SCRIPT, text: shared },
  { name: "later.css", type: STYLES, text: laterStyles },
  { name: "later.js", type: SCRIPT, text: later },
  { name: "app.js", type: SCRIPT, text: script },
  { name: "app.css", type: STYLES, text: styles },
  { name: "icon.svg", type: "image/svg+xml", text: icon },
];

let files: readonly NamedFile[] | undefined;

/** A file, and its name with a hash of its content. */
interface NamedFile extends AssetFile {
  readonly hashedName: string;
}

/** Returns the files as they are served. */
function assetFiles(): readonly NamedFile[] {
  files ??= SOURCES.reduce<NamedFile[]>((before, file) => {
    const text = before.reduce(
      (result, { name, hashedName }) =>
        result.replaceAll(`"./${name}"`, `"./${hashedName}"`),
      file.text,
    );
    const [stem, extension] = file.name.split(".");
    const hashedName = `${stem}-${hash(text)}.${extension}`;
    return [...before, { ...file, text, hashedName }];
  }, []);
  return files;
}

/** Returns all files by their paths. */
function prepareAssets(): Map<string, Asset> {
  const all = new Map<string, Asset>();
  for (const { hashedName, type, text } of assetFiles()) {
    all.set(
      `/assets/${hashedName}`,
      assetOf(text, type, CACHE_CONTROL_IMMUTABLE),
    );
  }
  all.set(
    "/",
    assetOf(
      withAssetNames(html),
      "text/html; charset=utf-8",
      CACHE_CONTROL_REVALIDATE,
    ),
  );
  return all;
}

/** Adds hashes to the names of the files in a page. */
function withAssetNames(page: string): string {
  return assetFiles().reduce(
    (result, { name, hashedName }) =>
      result.replaceAll(`assets/${name}`, `assets/${hashedName}`),
    page,
  );
}

function escapeHtml(text: string): string {
  return text.replace(
    /[&<>"']/g,
    (character) => `&#${character.charCodeAt(0)};`,
  );
}

function assetOf(text: string, type: string, caching: string): Asset {
  const plain = new TextEncoder().encode(text);
  return {
    type,
    caching,
    etag: `"${hash(text)}"`,
    plain,
    gzipped: new Uint8Array(gzipSync(plain, { level: 9 })),
  };
}

function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, HASH_LENGTH);
}
