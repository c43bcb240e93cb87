/**
 * Access with users: checks names and passwords, and applies topic rules.
 *
 * @module
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { clientNetwork } from "../../common/client_network.ts";
import type { LimitName } from "../../common/limit_counts.ts";
import { LoginFailures } from "../../common/login_failures.ts";
import { Semaphore } from "../../common/semaphore.ts";
import type {
  Access,
  Identity,
  Login,
  LoginResult,
  SubscribeGrant,
} from "./access.ts";
import { LoginSlots } from "./login_slots.ts";
import { DEFAULT_COST, unmatchableHash, verifyPassword } from "./password.ts";
import { areSameForClients, ClientRules, type Rule } from "./rules.ts";
import { ServerTopics } from "./server_topics.ts";
import type { RuleSection, User, Users } from "./users_file.ts";

/** Hashes that are computed at the same time: 16 MiB each, beside the loop. */
const CONCURRENT_HASHES = 2;
/** Logins that wait for a hash, of all networks. */
const MAX_WAITING_HASHES = 256;

/** Options of {@linkcode UserAccess}. */
export interface UserAccessOptions {
  readonly users: Users;
  /** The rules of users without rules of their own. */
  readonly defaults: readonly Rule[];
  /** Filters of the topics that only the server may publish to. */
  readonly reserved: readonly string[];
  /** Client ids of the server, which no client may take. */
  readonly serverClientIds: readonly string[];
  /** True if clients without a user name may connect. */
  readonly allowAnonymous: boolean;
  /** Called for each login that a limit refuses or delays. */
  readonly onLimited: (limit: LimitName) => void;
  /** Called for each login with a wrong user name or password. */
  readonly onWrongLogin: (login: Login) => void;
  /** Default: one without limits besides the slots of a network. */
  readonly failures?: LoginFailures;
  /** Default: those of a new one. */
  readonly slots?: LoginSlots;
}

/** What is known of a client besides its identity. */
interface Client {
  /** The hash with which it has logged in; undefined without a password. */
  hash: string | undefined;
  /** Undefined until they are needed. */
  rules: ClientRules | undefined;
  /** The version for which the rules were made. */
  version: number;
}

/** Access by the users of a file, which can be replaced. */
export class UserAccess implements Access {
  onChange: (() => void) | undefined;
  readonly #options: UserAccessOptions;
  readonly #serverTopics: ServerTopics;
  readonly #serverClientIds: ReadonlySet<string>;
  readonly #failures: LoginFailures;
  readonly #slots: LoginSlots;
  readonly #hashes = new Semaphore(CONCURRENT_HASHES);
  readonly #clients = new WeakMap<Identity, Client>();
  /** Random: outside of this process, digests of passwords cannot be tried. */
  readonly #digestKey = randomBytes(32);
  /** Digests of the right passwords that were seen, by the hash of the file. */
  readonly #digests = new Map<string, Uint8Array>();
  /** Rules that are the same for all clients of a user, by user. */
  readonly #sharedRules = new Map<string | undefined, ClientRules>();
  #waitingHashes = 0;
  #version = 1;
  #users: Users;
  /** Checked in place of the hash of an unknown user. */
  #unmatchable = unmatchableHash(DEFAULT_COST);

  /** @param options users, rules and callbacks */
  constructor(options: UserAccessOptions) {
    const { failures, slots, reserved, serverClientIds, users } = options;
    this.#options = options;
    this.#serverTopics = new ServerTopics({ reserved });
    this.#serverClientIds = new Set(serverClientIds);
    // The slots of each network limit how many failed logins wait.
    this.#failures = failures ??
      new LoginFailures({ waiting: Infinity, waitingPerNetwork: Infinity });
    this.#slots = slots ?? new LoginSlots();
    this.#users = users;
    this.#useCostOf(users);
  }

  get version(): number {
    return this.#version;
  }

  /**
   * Replaces the users and rules: the rules apply at once.
   *
   * @param users the new content of the file
   */
  setUsers(users: Users): void {
    this.#users = users;
    this.#version++;
    this.#keepDigestsOf(users);
    this.#sharedRules.clear();
    this.#useCostOf(users);
    this.onChange?.();
  }

  login(login: Login): LoginResult | Promise<LoginResult> {
    const { clientId, user, password, certificateName, address } = login;
    if (this.#serverClientIds.has(clientId)) return { refused: "client-id" };
    if (password === undefined && certificateName !== undefined) {
      return this.#loginByCertificate(certificateName, login);
    }
    if (user === undefined) {
      return this.#options.allowAnonymous
        ? { identity: this.#identify(clientId, undefined, undefined) }
        : { refused: "not-authorized" };
    }
    const found = this.#users.users.get(user);
    if (
      this.#slots.isFree(clientNetwork(address)) &&
      this.#isKnownPassword(found, password)
    ) return { identity: this.#identify(clientId, found, found!.password) };
    return this.#checkPassword(login, user);
  }

  mayPublish(identity: Identity, topic: string): boolean {
    if (!this.#serverTopics.isOpen(topic)) return false;
    return this.#isAdministrator(identity) ||
      this.#rulesOf(identity).allows("publish", topic);
  }

  maySubscribe(identity: Identity, filter: string): SubscribeGrant {
    return this.#isAdministrator(identity)
      ? "all"
      : this.#rulesOf(identity).grant(filter);
  }

  mayReceive(identity: Identity, topic: string): boolean {
    return this.#isAdministrator(identity) ||
      this.#rulesOf(identity).allows("subscribe", topic);
  }

  isCurrent(identity: Identity): boolean {
    const { user, isAdministrator } = identity;
    if (user === undefined) return true;
    const { hash } = this.#clientOf(identity);
    const current = this.#users.users.get(user);
    return current !== undefined &&
      current.isAdministrator === isAdministrator &&
      (hash === undefined || hash === current.password?.text);
  }

  /** The session of a former administrator may outlive its role. */
  #isAdministrator({ user, isAdministrator }: Identity): boolean {
    return isAdministrator && user !== undefined &&
      this.#users.users.get(user)?.isAdministrator === true;
  }

  #loginByCertificate(name: string, login: Login): LoginResult {
    const found = this.#users.users.get(name);
    const isOther = login.user !== undefined && login.user !== name;
    if (found !== undefined && !isOther) {
      return { identity: this.#identify(login.clientId, found, undefined) };
    }
    this.#countWrong(login);
    return { refused: "bad-credentials" };
  }

  async #checkPassword(login: Login, name: string): Promise<LoginResult> {
    const { clientId, password, address, isConnected } = login;
    const network = clientNetwork(address);
    if (!await this.#slots.enter(network)) return this.#refuseBusy();
    try {
      if (isConnected?.() === false) return { refused: "busy" };
      const found = this.#users.users.get(name);
      let isRight = this.#isKnownPassword(found, password);
      if (!isRight) {
        if (this.#waitingHashes >= MAX_WAITING_HASHES) {
          return this.#refuseBusy();
        }
        isRight = await this.#isRightPassword(found, password);
      }
      const current = this.#users.users.get(name);
      // The file may have changed in between.
      if (isRight && current?.password?.text === found!.password!.text) {
        return { identity: this.#identify(clientId, current, found!.password) };
      }
      this.#countWrong(login);
      await this.#failures.wait(address);
      return { refused: "bad-credentials" };
    } finally {
      this.#slots.leave(network);
    }
  }

  /** Takes the same time for an unknown user. */
  async #isRightPassword(
    found: User | undefined,
    password: Uint8Array | undefined,
  ): Promise<boolean> {
    const expected = found?.password ?? this.#unmatchable;
    this.#waitingHashes++;
    const isRight = await this.#hashes.run(1, () => {
      this.#waitingHashes--;
      // Another client of the user may have logged in meanwhile.
      return this.#isKnownPassword(found, password)
        ? Promise.resolve(true)
        : verifyPassword(password ?? new Uint8Array(0), expected);
    });
    if (!isRight || found?.password === undefined) return false;
    this.#digests.set(found.password.text, this.#digestOf(password!));
    return true;
  }

  /**
   * Returns true if a password was verified before. Without this, a thousand
   * clients of one user would take a minute to connect again.
   */
  #isKnownPassword(
    found: User | undefined,
    password: Uint8Array | undefined,
  ): boolean {
    if (found?.password === undefined || password === undefined) return false;
    const digest = this.#digests.get(found.password.text);
    return digest !== undefined &&
      timingSafeEqual(digest, this.#digestOf(password));
  }

  #digestOf(password: Uint8Array): Uint8Array {
    return createHash("sha256").update(this.#digestKey).update(password)
      .digest();
  }

  #identify(
    clientId: string,
    user: User | undefined,
    password: { readonly text: string } | undefined,
  ): Identity {
    const identity = {
      user: user?.name,
      clientId,
      isAdministrator: user?.isAdministrator ?? false,
    };
    this.#clientOf(identity).hash = password?.text;
    return identity;
  }

  /** A session that was stored has an identity that did not log in here. */
  #clientOf(identity: Identity): Client {
    let client = this.#clients.get(identity);
    if (client === undefined) {
      client = { hash: undefined, rules: undefined, version: 0 };
      this.#clients.set(identity, client);
    }
    return client;
  }

  #rulesOf(identity: Identity): ClientRules {
    const client = this.#clientOf(identity);
    if (client.rules === undefined || client.version !== this.#version) {
      client.rules = this.#makeRules(identity);
      client.version = this.#version;
    }
    return client.rules;
  }

  #makeRules(identity: Identity): ClientRules {
    const { user } = identity;
    const shared = this.#sharedRules.get(user);
    if (shared !== undefined) return shared;
    const { users, all, anonymous } = this.#users;
    const own: RuleSection | undefined = user === undefined
      ? anonymous
      : users.get(user);
    // A removed user may do nothing until it is disconnected.
    if (own === undefined) return new ClientRules([], identity);
    const rules = [...own.rules, ...all.rules];
    if (own.hasDefaults || all.hasDefaults) {
      rules.push(...this.#options.defaults);
    }
    const made = new ClientRules(rules, identity);
    if (areSameForClients(rules)) this.#sharedRules.set(user, made);
    return made;
  }

  #countWrong(login: Login): void {
    this.#options.onLimited("mqtt-wrong-login");
    this.#options.onWrongLogin(login);
  }

  #refuseBusy(): LoginResult {
    this.#options.onLimited("mqtt-logins");
    return { refused: "busy" };
  }

  #keepDigestsOf({ users }: Users): void {
    const kept = new Set<string | undefined>();
    for (const { password } of users.values()) kept.add(password?.text);
    for (const text of this.#digests.keys()) {
      if (!kept.has(text)) this.#digests.delete(text);
    }
  }

  #useCostOf({ users }: Users): void {
    for (const { password } of users.values()) {
      if (password === undefined) continue;
      this.#unmatchable = unmatchableHash(password.cost);
      return;
    }
  }
}
