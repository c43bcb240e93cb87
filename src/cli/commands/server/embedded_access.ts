/**
 * Who may use the embedded broker of `occupancy server`, and where: reads the
 * users, the rules and the certificate that the flags name.
 */
import type { Access, Login } from "../../../broker/access/access.ts";
import { OpenAccess } from "../../../broker/access/open_access.ts";
import { defaultRules } from "../../../broker/access/rules.ts";
import { UserAccess } from "../../../broker/access/user_access.ts";
import type { Users } from "../../../broker/access/users_file.ts";
import type { LimitCounts, LimitName } from "../../../common/limit_counts.ts";
import { quoteName } from "../../../common/printable.ts";
import { isLoopback } from "../../../feed/hosts.ts";
import { hostAndPort } from "../../../common/host.ts";
import type { Topics } from "../../../protocol/mod.ts";
import { DEFAULT_LISTEN } from "../../arguments/addresses.ts";
import {
  readCertificate,
  readCertificateAndKey,
} from "../../arguments/broker_access.ts";
import type { ListenAddress } from "../../arguments/address_values.ts";
import { usageError } from "../../errors.ts";
import { warnIfReadable } from "../../secret_files.ts";
import { readUsersFile } from "../users/users_store.ts";
import type { ServerFlags } from "./options.ts";
import type { ServerLog } from "./server_log.ts";

/** The certificate of the listeners with TLS. */
export interface TlsFiles {
  /** PEM, with the chain. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
  /** The authority of client certificates, which are then required; PEM. */
  readonly clientCa?: string;
}

/** The access to an embedded broker. */
export interface EmbeddedAccess {
  readonly access: Access;
  /** Undefined without `--tls-cert`. */
  readonly tls: TlsFiles | undefined;
  /** Counts what a limit refuses or delays. */
  readonly onLimit: (limit: LimitName, count?: number) => void;
  /** Reads the users file again; undefined without `--users`. */
  readonly reloadUsers: (() => Promise<void>) | undefined;
}

/** Options that only an embedded broker uses. */
const EMBEDDED_OPTIONS = [
  ...["listen", "listenTls", "listenWs", "listenWss"],
  ...["tlsCert", "tlsKey", "tlsClientCa", "users", "allowAnonymous"],
] as const satisfies readonly (keyof ServerFlags)[];

/** Returns true if the flags ask for an embedded broker. */
export function wantsEmbedded(flags: ServerFlags): boolean {
  return EMBEDDED_OPTIONS.some((name) => flags[name] !== undefined);
}

/**
 * Reads the access to an embedded broker.
 *
 * @param topics of the server
 * @param log receives warnings, and failed logins
 * @param limited counts what the limits of the broker refuse
 * @throws {AppError} if a file is unusable, or other machines could use the
 * broker without a login
 */
export async function readEmbeddedAccess(
  flags: ServerFlags,
  topics: Topics,
  log: ServerLog,
  limited: LimitCounts,
): Promise<EmbeddedAccess> {
  checkListeners(flags);
  const reserved = topics.serverOnlyFilters;
  const serverClientIds = [flags.name];
  const tls = await readTlsFiles(flags, log.warn);
  const onLimit = (limit: LimitName, count?: number) =>
    limited.add(limit, count);
  const { users: path, allowAnonymous = false } = flags;
  if (path === undefined) {
    const peerTopic = topics.state;
    const access = new OpenAccess({ reserved, peerTopic, serverClientIds });
    return { access, tls, onLimit, reloadUsers: undefined };
  }
  const access = new UserAccess({
    users: await readUsers(path, log.warn),
    defaults: defaultRules(topics),
    reserved,
    serverClientIds,
    allowAnonymous,
    onLimited: onLimit,
    onWrongLogin: (login) =>
      log.warnLimited("wrong-login", wrongLoginLine(login)),
  });
  return {
    access,
    tls,
    onLimit,
    reloadUsers: async () => access.setUsers(await readUsers(path, log.warn)),
  };
}

/**
 * Reads the files of TLS.
 *
 * @param warn called with a line if other users can read the key
 * @returns undefined without `--tls-cert`
 * @throws {AppError} if a file is unusable
 */
export async function readTlsFiles(
  { tlsCert, tlsKey, tlsClientCa }: ServerFlags,
  warn: (line: string) => void,
): Promise<TlsFiles | undefined> {
  if (tlsCert === undefined || tlsKey === undefined) return undefined;
  return {
    ...await readCertificateAndKey(tlsCert, tlsKey, warn),
    ...(tlsClientCa !== undefined && {
      clientCa: await readCertificate(tlsClientCa),
    }),
  };
}

async function readUsers(
  path: string,
  warn: (line: string) => void,
): Promise<Users> {
  const { users } = await readUsersFile(path);
  await warnIfReadable(path, "hashes of the passwords", warn);
  return users;
}

/** @throws {AppError} (usage) if the flags do not fit together */
function checkListeners(flags: ServerFlags): void {
  const { tlsCert, tlsKey, tlsClientCa, listenTls, listenWss } = flags;
  const hasTls = listenTls !== undefined || listenWss !== undefined;
  if (hasTls && (tlsCert === undefined || tlsKey === undefined)) {
    throw usageError(
      `Cannot use --${
        listenTls === undefined ? "listen-wss" : "listen-tls"
      } without a certificate`,
      "Add --tls-cert FILE and --tls-key FILE, both in PEM format.",
    );
  }
  if (!hasTls && (tlsCert !== undefined || tlsKey !== undefined)) {
    throw usageError(
      `Cannot use --${
        tlsCert === undefined ? "tls-key" : "tls-cert"
      } without an address for TLS`,
      "Add --listen-tls HOST:PORT, such as 0.0.0.0:8883, or --listen-wss.",
    );
  }
  if (tlsClientCa !== undefined && listenTls === undefined) {
    throw usageError(
      "Cannot use --tls-client-ca without --listen-tls",
      "Add --listen-tls HOST:PORT: its clients then need a certificate.",
    );
  }
  checkReach(flags);
}

/** @throws {AppError} (usage) if other machines need no login */
function checkReach(flags: ServerFlags): void {
  const { users, allowAnonymous, tlsClientCa } = flags;
  if (users !== undefined || allowAnonymous) return;
  const open: (ListenAddress | undefined)[] = [
    ...[flags.listen ?? DEFAULT_LISTEN, flags.listenWs, flags.listenWss],
    // A client certificate is a login.
    tlsClientCa === undefined ? flags.listenTls : undefined,
  ];
  const reachable = open.find((one) =>
    one !== undefined && !isLoopback(one.host)
  );
  if (reachable === undefined) return;
  const { host, port } = reachable;
  throw usageError(
    `Cannot start the embedded broker on ${
      hostAndPort(host, port)
    } without users: other machines can reach it`,
    "Add --users FILE (occupancy users add --users FILE NAME creates it), or --allow-anonymous to let every client publish readings and read the map.",
  );
}

/** One line of the log; a client chooses all names. */
function wrongLoginLine({ user, certificateName, address }: Login): string {
  const who = user === undefined
    ? `a client with a certificate for ${quoteName(certificateName ?? "")}`
    : `the user ${quoteName(user)}`;
  const why = user === undefined
    ? "there is no such user"
    : "wrong user name or password";
  return `Refused the login of ${who} from ${address}: ${why}`;
}
