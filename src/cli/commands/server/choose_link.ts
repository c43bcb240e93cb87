/** Chooses the broker of a server: an external one, or the embedded one. */
import type { AppError } from "../../../common/errors.ts";
import { hostAndPort } from "../../../common/host.ts";
import { excerpt, quoteName } from "../../../common/printable.ts";
import type { Broker } from "../../../broker/options.ts";
import { ServerTopics } from "../../../broker/access/server_topics.ts";
import type { Connection } from "../../../mqtt/connection.ts";
import type { Link } from "../../../mqtt/link.ts";
import type {
  BrokerAccess,
  ConnectionOptions,
} from "../../../mqtt/transport.ts";
import { acceptsTcp } from "../../../mqtt/url.ts";
import type { ProbeTarget } from "../../../mqtt/probe_connection.ts";
import type { GroupTopics, Topics } from "../../../protocol/mod.ts";
import { statusTopics } from "../../../home_assistant/mod.ts";
import {
  offlineState,
  onlineState,
  type SessionSource,
} from "../../../server/mod.ts";
import type { Records } from "../../../store/store.ts";
import {
  brokersOf,
  DEFAULT_BROKER,
  DEFAULT_LISTEN,
} from "../../arguments/addresses.ts";
import type { ListenAddress } from "../../arguments/address_values.ts";
import { usageError } from "../../errors.ts";
import { announceDownload } from "../../download_notice.ts";
import { VERSION } from "../../version.ts";
import { brokerLimits } from "./broker_limits.ts";
import { DroppedMessages } from "./dropped_messages.ts";
import {
  type EmbeddedAccess,
  type TlsFiles,
  wantsEmbedded,
} from "./embedded_access.ts";
import type { ServerFlags } from "./options.ts";
import type { ServerLog } from "./server_log.ts";

const MAX_SHOWN_TOPIC_LENGTH = 200;
/** Maximum size of a message that a broker with MQTT 5 sends to the server. */
const MAX_RECEIVED_BYTES = 32 * 1024 * 1024;

/**
 * A member that stands still is noticed after 1.5 times this: until then its
 * part of the messages waits, and requests wait for its answer.
 */
const GROUP_KEEP_ALIVE_S = 4;
/**
 * How many messages a member that dies may hold unacknowledged. A commit to a
 * shared store takes some milliseconds, so they are enough for a hundred thousand
 * messages a second.
 */
const GROUP_RECEIVE_MAXIMUM = 1000;

/** The link of a server, not yet open. */
export interface ChosenLink {
  readonly link: Link;
  /** `Connected to`, or `Started the`. */
  readonly verb: string;
  /** Describes the broker, once the link is open. */
  readonly describe: () => string;
  /** Returns the address of the embedded broker, once the link is open. */
  readonly address?: () => ListenAddress;
  /** Report messages that external brokers dropped. */
  readonly dropped?: readonly DroppedMessages[];
  /** Opens the sessions of other members, in a group. */
  readonly sessions?: SessionSource;
  /** Replaces certificates, key and password for the next connection. */
  readonly replaceAccess?: (access: BrokerAccess) => void;
  /** Replaces the certificate of the embedded broker for new connections. */
  readonly reloadTls?: (tls: TlsFiles) => void;
}

/** What {@linkcode chooseLink} needs besides the flags. */
export interface LinkContext {
  readonly topics: Topics;
  /** Undefined without a group. */
  readonly group: GroupTopics | undefined;
  readonly log: ServerLog;
  /** Certificates, key and login for a broker. */
  readonly access: BrokerAccess;
  /** Users, rules and certificate of the embedded broker. */
  readonly embeddedAccess: EmbeddedAccess;
  /** Keep the state of the embedded broker; undefined: none is kept. */
  readonly records: Records | undefined;
  /** True if several servers share the store. */
  readonly isShared: boolean;
}

/**
 * Chooses the broker: that of `--broker`, the embedded one if an option of it is
 * set, else the one on the default port, or the embedded one if no broker
 * answers there.
 *
 * @param context what the broker needs besides the flags
 */
export async function chooseLink(
  flags: ServerFlags,
  context: LinkContext,
): Promise<ChosenLink> {
  const { broker } = flags;
  if (wantsEmbedded(flags)) {
    return await embedded(flags, context, "");
  }
  if (broker !== undefined || await acceptsTcp(DEFAULT_BROKER)) {
    return await connected(flags, context);
  }
  if (context.isShared) throw embeddedWithShared();
  const reason = " (no broker answered on localhost:1883)";
  return await embedded(flags, context, reason);
}

/**
 * Checks that no option of the embedded broker is set, for a store that several
 * servers share: the broker keeps its state in the store of one server.
 *
 * @throws {AppError} (usage) if one is set
 */
export function checkSharedBroker(flags: ServerFlags): void {
  if (wantsEmbedded(flags)) throw embeddedWithShared();
}

function embeddedWithShared(): AppError {
  return usageError(
    "Cannot use the embedded broker with a store in Redis: it serves one server, and the store several",
    "Set --broker to a broker that all servers reach, such as Mosquitto, or use --store sqlite:PATH.",
  );
}

/** Joins the broker, or all brokers. */
async function connected(
  flags: ServerFlags,
  context: LinkContext,
): Promise<ChosenLink> {
  announceDownload(["mqtt"], flags);
  const { Connection } = await import("../../../mqtt/connection.ts");
  const connections: Connection[] = [];
  const dropped: DroppedMessages[] = [];
  const urls = brokersOf(flags);
  let { access } = context;
  for (const url of urls) {
    // Another client can take the client id, by mistake or not: that must not
    // end a server.
    const broker = () => ({ url, ...access, onConflict: "retry" } as const);
    const options = context.group === undefined
      ? connectionOptions(flags, context)
      : await groupOptions(flags, context, context.group, broker);
    connections.push(new Connection({ ...broker(), ...options }));
    const watchLink = new Connection({
      ...broker(),
      clientId: `${flags.name}-watch`,
      subscriptions: [DroppedMessages.topic],
    });
    dropped.push(new DroppedMessages(watchLink, context.log));
  }
  return {
    // In a group, messages of other sessions are acknowledged elsewhere.
    link: connections.length === 1 && context.group === undefined
      ? connections[0]!
      : await join(connections),
    ...(context.group !== undefined && {
      sessions: {
        open: (link, name) =>
          new Connection({
            url: urls[connections.indexOf(link as Connection)]!,
            ...access,
            ...limitsOf(flags),
            clientId: name,
            // The session may be of a connection that ended before it had one.
            subscriptions: [context.topics.marker(name)],
            receiveMaximum: GROUP_RECEIVE_MAXIMUM,
          }),
        expiryMs: flags.sessionExpiry,
      },
    }),
    verb: "Connected to",
    describe: () => connections.map(describeConnection).join(", "),
    dropped,
    replaceAccess: (changed) => {
      access = changed;
      for (const connection of connections) connection.replaceAccess(access);
      for (const one of dropped) one.replaceAccess(access);
    },
  };
}

async function join(connections: readonly Connection[]): Promise<Link> {
  const { JoinedLinks } = await import("../../../mqtt/joined_links.ts");
  return new JoinedLinks(connections);
}

function describeConnection({ description, mqttVersion }: Link): string {
  return `${description} (${mqttVersion === 5 ? "MQTT 5" : "MQTT 3.1.1"})`;
}

/** The options of a connection to a broker besides address and login. */
function connectionOptions(
  flags: ServerFlags,
  { topics }: LinkContext,
): Omit<ConnectionOptions, "url"> {
  return {
    clientId: flags.name,
    subscriptions: topics.serverSubscriptions(flags.name),
    // A bridge sends retained readings again, which may be of any age.
    retainAsPublished: [topics.dataFilter],
    liveSubscriptions: [
      ...topics.serverLiveSubscriptions(),
      ...homeAssistantTopics(flags),
    ],
    will: {
      topic: topics.state,
      payload: offlineState(flags.name, VERSION),
    },
    ...limitsOf(flags),
  };
}

function limitsOf({ sessionExpiry, maxPayload }: ServerFlags) {
  return {
    sessionExpiry: Math.ceil(sessionExpiry / 1000),
    // Messages above --max-payload are reported; these would use up the memory.
    maxReceivedBytes: Math.max(MAX_RECEIVED_BYTES, 2 * maxPayload),
  };
}

/**
 * The same for a member of a group.
 *
 * @param broker returns it with the present login, which may be replaced
 */
async function groupOptions(
  flags: ServerFlags,
  context: LinkContext,
  group: GroupTopics,
  broker: () => ProbeTarget,
): Promise<Omit<ConnectionOptions, "url">> {
  const { checkSharedSubscriptions } = await import(
    "../../../mqtt/subscriptions.ts"
  );
  const { name } = flags;
  const options = connectionOptions(flags, context);
  const id = `check-${crypto.randomUUID()}`;
  const topic = context.topics.serverCheck(id);
  const clientId = `${name}-${id}`;
  return {
    ...options,
    subscriptions: group.subscriptions(name),
    sharedSubscriptions: group.shared,
    // Of a time before --group: this server alone would take all messages too.
    formerSubscriptions: [context.topics.dataFilter, context.topics.request],
    retainAsPublished: group.shared.slice(0, 1),
    birth: {
      topic: group.state(name),
      payload: onlineState(name, VERSION, group.group),
    },
    will: {
      topic: context.topics.state,
      payload: offlineState(name, VERSION, group.group),
    },
    keepAlive: GROUP_KEEP_ALIVE_S,
    receiveMaximum: GROUP_RECEIVE_MAXIMUM,
    beforeOpen: () =>
      checkSharedSubscriptions({ broker: broker(), clientId, topic }),
  };
}

async function embedded(
  flags: ServerFlags,
  { topics, log, embeddedAccess, records }: LinkContext,
  reason: string,
): Promise<ChosenLink> {
  const { access, tls, onLimit } = embeddedAccess;
  const { listen = DEFAULT_LISTEN, listenTls, listenWs, listenWss } = flags;
  if (listenWs ?? listenWss) announceDownload(["ws"], flags);
  const { createBroker } = await import("../../../broker/broker.ts");
  const { StoredState } = await import(
    "../../../broker/persistence/stored_state.ts"
  );
  const limits = await brokerLimits(flags, log.warn);
  const serverTopics = new ServerTopics({ reserved: topics.serverOnlyFilters });
  const link = createBroker({
    ...listen,
    ...(listenWs && { ws: listenWs }),
    ...(flags.wsOrigins && { wsOrigins: flags.wsOrigins }),
    ...(tls && listenTls && { tls: { ...listenTls, ...tls } }),
    ...(tls && listenWss && { wss: { ...listenWss, ...tls } }),
    access,
    ...(records && { persistence: new StoredState(records) }),
    subscriptions: [
      ...topics.serverSubscriptions(flags.name),
      ...homeAssistantTopics(flags),
    ],
    runs: [topics.dataFilter],
    onLimit,
    version: VERSION,
    limits,
    peerTopic: topics.state,
    // A second server under the same prefix sends many.
    onRefused: (client, topic) =>
      log.warnLimited(
        "refused-message",
        `Refused a message of the client ${quoteName(client)} to ${
          excerpt(topic, MAX_SHOWN_TOPIC_LENGTH)
        }: ${
          serverTopics.isOpen(topic)
            ? "the rules of its user do not allow it"
            : "only this server may publish there. If the client is a server too, stop it, or start it with a different --prefix"
        }`,
      ),
    onDropped: (client, reason) =>
      log.warnLimited(
        "disconnected-client",
        client === undefined
          ? `Disconnected a client without a name: ${reason}`
          : `Disconnected the client ${quoteName(client)}: ${reason}${
            client === flags.name
              ? ". It is that of this server: a second one needs another --name and --prefix"
              : ""
          }`,
      ),
    onSessionFull: (client) =>
      log.warnLimited(
        "full-session",
        `Dropped messages for the client ${
          quoteName(client)
        }: its queue is full (--mqtt-queue, --mqtt-queue-bytes)`,
      ),
  });
  const describe = () => `${link.description}${othersOf(link)}${reason}`;
  const address = () => link.address;
  const reloadTls = (tls: TlsFiles) => link.reloadTls(tls);
  return { link, verb: "Started the", describe, address, reloadTls };
}

/** The topics on which Home Assistant says that it has started. */
function homeAssistantTopics({ homeAssistant }: ServerFlags) {
  return homeAssistant === undefined ? [] : statusTopics(homeAssistant);
}

/** Where the embedded broker listens besides its TCP address. */
function othersOf({ tlsAddress, wsAddress, wssAddress }: Broker): string {
  const others = [
    ["TLS", tlsAddress],
    ["WebSocket", wsAddress],
    ["WebSocket with TLS", wssAddress],
  ] as const;
  return others.map(([name, at]) =>
    at === undefined ? "" : `, ${name} on ${hostAndPort(at.host, at.port)}`
  ).join("");
}
