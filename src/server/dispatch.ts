/**
 * Passes each message to its handler, by topic.
 *
 * @module
 */
import type { Incoming, IncomingRun } from "../mqtt/link.ts";
import type { Connections } from "./connections.ts";
import type { ServerContext } from "./context.ts";
import type { Group } from "./group/group.ts";
import type { Announcer } from "./home_assistant/announcer.ts";
import type { Pipeline } from "./pipeline.ts";
import type { PeerServers } from "./presence.ts";

/** The parts of a server that handle messages. */
export interface MessageHandlers {
  readonly peers: Pick<PeerServers, "handle">;
  readonly connections: Pick<
    Connections,
    "markerTopic" | "handleMarker" | "hold"
  >;
  readonly homeAssistant: Pick<Announcer, "topics" | "handle">;
  readonly pipeline: Pick<Pipeline, "push">;
  /** Undefined if the server shares its load with none. */
  readonly group?: Pick<Group, "handle"> | undefined;
}

/** Passes each message that arrives to the part that handles its topic. */
export class Dispatcher {
  readonly #context: ServerContext;
  readonly #handlers: MessageHandlers;

  constructor(context: ServerContext, handlers: MessageHandlers) {
    this.#context = context;
    this.#handlers = handlers;
  }

  /** Handles a message. The handler acknowledges it. */
  dispatch(message: Incoming): void {
    const { topics, telemetry, status } = this.#context;
    const { peers, connections, pipeline, homeAssistant, group } =
      this.#handlers;
    switch (message.topic) {
      // The retained state of this server, or of another under the same prefix.
      case topics.state:
        peers.handle(message);
        break;

      // A message that this server has published to itself.
      case connections.markerTopic:
        connections.handleMarker(message);
        break;

      // A request is answered after the readings before it. At QoS 0 it may
      // have overtaken them, so the barrier holds it. In a group, other servers
      // may have them. While the store fails, it gets an error at once.
      case topics.request: {
        telemetry.requestArrived(message);
        const mayBeEarly = message.qos === 0 || group !== undefined;
        if (mayBeEarly && status.storeProblem === undefined) {
          connections.hold(message);
        } else pipeline.push(message);
        break;
      }

      // <prefix>/data or below it: readings. Or a message of the group. Or Home
      // Assistant starts or stops.
      default:
        if (group?.handle(message)) return;
        if (homeAssistant.topics.has(message.topic)) {
          homeAssistant.handle(message);
        } else pipeline.push(message);
    }
  }

  /** Handles consecutive messages to a topic for readings. */
  dispatchRun(run: IncomingRun): void {
    this.#handlers.pipeline.push(run);
  }
}
