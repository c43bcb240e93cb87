/**
 * Reloads the files of a running server after SIGHUP, if it has no terminal.
 */
import type { BrokerAccess } from "../../../mqtt/transport.ts";
import {
  readCertificate,
  readCertificateAndKey,
} from "../../arguments/broker_access.ts";
import { describeError } from "../../errors.ts";
import { readPassword } from "../../secret_files.ts";
import type { Plan } from "../../../http/mod.ts";
import type { WebhookSecret } from "../../../webhooks/mod.ts";
import type { Http } from "./http.ts";
import { readTlsFiles, type TlsFiles } from "./embedded_access.ts";
import { readPlans, readToken } from "./http_settings.ts";
import { readWebhookSecret } from "./webhooks.ts";
import type { ServerFlags } from "./options.ts";
import type { RedisUse } from "./redis_access.ts";
import type { ServerLog } from "./server_log.ts";

/** The parts of a server that use the files. */
export interface FileUsers {
  /** Undefined if the server does not serve HTTP. */
  readonly http: Http | undefined;
  /** The floor plans in use; filled again. */
  readonly plans: Map<string, Plan>;
  /** Called after the floor plans have changed. */
  readonly onPlans: () => void;
  /**
   * Replaces certificates, key and password of the connection to the broker;
   * undefined without one.
   */
  readonly replaceAccess: ((access: BrokerAccess) => void) | undefined;
  /** Replaces the certificate of the embedded broker; undefined without one. */
  readonly reloadTls: ((tls: TlsFiles) => void) | undefined;
  /** Reads the users of the embedded broker again; undefined without any. */
  readonly reloadUsers: (() => Promise<void>) | undefined;
  /** Reads the zones again; undefined without a file of zones. */
  readonly reloadZones: (() => Promise<void>) | undefined;
  /** Reads password and certificates for Redis again. */
  readonly redis: Pick<RedisUse, "files" | "reload">;
  /** Replaces the secret of the webhooks; undefined without webhooks. */
  readonly setWebhookSecret: ((secret: WebhookSecret) => void) | undefined;
}

/** A file to reload. */
interface ReloadableFile {
  readonly what: string;
  readonly path: string;
  /** Reads and checks the file, then uses it. */
  readonly load: (path: string) => Promise<void>;
}

/**
 * True if the process has a terminal: then SIGHUP means that the terminal
 * closed.
 */
export function hasTerminal(): boolean {
  return [Deno.stdin, Deno.stdout, Deno.stderr]
    .some((stream) => stream.isTerminal());
}

/**
 * Reloads the files that the flags name and logs each. If a file is invalid,
 * the old one stays in use.
 */
export class FileReloader {
  readonly #flags: ServerFlags;
  readonly #log: ServerLog;
  readonly #users = Promise.withResolvers<FileUsers>();
  #queue: Promise<void> = Promise.resolve();

  constructor(flags: ServerFlags, log: ServerLog) {
    this.#flags = flags;
    this.#log = log;
  }

  /** Requests a reload. It waits until the server has started. */
  request(): void {
    this.#queue = this.#queue.then(async () =>
      this.#reload(await this.#users.promise)
    );
  }

  /** Runs the requested reloads. Called once, when the server has started. */
  start(users: FileUsers): void {
    this.#users.resolve(users);
  }

  async #reload(users: FileUsers): Promise<void> {
    const log = this.#log;
    const files = filesOf(this.#flags, users, log.warn);
    for (const { what, path, load } of files) {
      try {
        await load(path);
        log.info(`Reloaded the ${what} from ${path}`);
      } catch (error) {
        log.error(reloadFailure(what, error));
      }
    }
    if (files.length === 0) log.info("No files to reload");
    const { config } = this.#flags;
    if (config !== undefined) {
      log.info(`Not reloaded: ${config}; restart the server to apply it`);
    }
  }
}

/** Returns the line for the log about a file that could not be reloaded. */
export function reloadFailure(what: string, error: unknown): string {
  const { message, hint } = describeError(error);
  const advice = hint === undefined ? "" : ` (${hint})`;
  return `Cannot reload the ${what}, the old one stays in use: ${message}${advice}`;
}

function filesOf(
  flags: ServerFlags,
  fileUsers: FileUsers,
  warn: (line: string) => void,
): ReloadableFile[] {
  const { http, plans, onPlans, redis } = fileUsers;
  const { replaceAccess, reloadTls, reloadUsers } = fileUsers;
  const { httpTokenFile, mapFile, users, tlsCert } = flags;
  const files: ReloadableFile[] = [];
  if (http !== undefined && httpTokenFile !== undefined) {
    files.push({
      what: "access token",
      path: httpTokenFile,
      load: async (path) => http.setToken(await readToken(path, warn)),
    });
  }
  if (mapFile !== undefined) {
    files.push({
      what: "map file",
      path: mapFile,
      load: async (path) => {
        const changed = await readPlans(path);
        plans.clear();
        for (const [layer, plan] of changed) plans.set(layer, plan);
        onPlans();
      },
    });
  }
  files.push(...eventFilesOf(flags, fileUsers, warn));
  if (users !== undefined && reloadUsers !== undefined) {
    files.push({ what: "users", path: users, load: reloadUsers });
  }
  if (tlsCert !== undefined && reloadTls !== undefined) {
    files.push({
      what: "certificate of the broker",
      path: tlsCert,
      load: async () => {
        const tls = await readTlsFiles(flags, warn);
        if (tls !== undefined) reloadTls(tls);
      },
    });
  }
  if (redis.files.length > 0) {
    files.push({
      what: "access to Redis",
      path: redis.files.join(", "),
      load: () => redis.reload(),
    });
  }
  if (replaceAccess !== undefined) {
    files.push(...accessFilesOf(flags, replaceAccess, warn));
  }
  return files;
}

/** The files for zones and webhooks. */
function eventFilesOf(
  { zones, webhookSecretFile }: ServerFlags,
  { reloadZones, setWebhookSecret }: FileUsers,
  warn: (line: string) => void,
): ReloadableFile[] {
  const files: ReloadableFile[] = [];
  if (zones !== undefined && reloadZones !== undefined) {
    files.push({ what: "zones file", path: zones, load: reloadZones });
  }
  if (webhookSecretFile !== undefined && setWebhookSecret !== undefined) {
    files.push({
      what: "secret of the webhooks",
      path: webhookSecretFile,
      load: async (path) =>
        setWebhookSecret(await readWebhookSecret(path, warn)),
    });
  }
  return files;
}

/** The files for the connection to the broker. */
function accessFilesOf(
  { ca, cert, key, passwordFile }: ServerFlags,
  replaceAccess: (access: BrokerAccess) => void,
  warn: (line: string) => void,
): ReloadableFile[] {
  const files: ReloadableFile[] = [];
  if (ca !== undefined) {
    files.push({
      what: "certificate authority",
      path: ca,
      load: async (path) => replaceAccess({ ca: await readCertificate(path) }),
    });
  }
  if (cert !== undefined && key !== undefined) {
    files.push({
      what: "client certificate",
      path: cert,
      load: async (path) =>
        replaceAccess(await readCertificateAndKey(path, key, warn)),
    });
  }
  if (passwordFile !== undefined) {
    files.push({
      what: "password",
      path: passwordFile,
      load: async (path) =>
        replaceAccess({ password: await readPassword(path, warn) }),
    });
  }
  return files;
}
