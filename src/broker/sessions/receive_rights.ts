/**
 * Whether the client of a session may still receive what waits for it.
 *
 * @module
 */
import type { Access, Identity } from "../access/access.ts";
import type { Message } from "../message.ts";

/** Who may receive what. */
export type DeliveryRules = Pick<Access, "mayReceive" | "version">;

/**
 * The rights with which the messages of a session were queued. They are checked
 * again only after the rules, or the user of the client, have changed.
 */
export class ReceiveRights {
  readonly #rules: DeliveryRules | undefined;
  readonly #owner: { readonly identity: Identity };
  #version: number | undefined;
  #identity: Identity;

  /**
   * @param rules undefined: all may receive all
   * @param owner has the identity of the present connection
   */
  constructor(
    rules: DeliveryRules | undefined,
    owner: { readonly identity: Identity },
  ) {
    this.#rules = rules;
    this.#owner = owner;
    this.#version = rules?.version;
    this.#identity = owner.identity;
  }

  /** The version of the rules; undefined without rules. */
  get version(): number | undefined {
    return this.#rules?.version;
  }

  /** Call it if messages were queued with unknown rules: before a restart. */
  forget(): void {
    this.#version = undefined;
  }

  /** Returns true if the rights may have changed since the last call. */
  haveChanged(): boolean {
    if (this.#rules === undefined) return false;
    const { version } = this.#rules;
    const { identity } = this.#owner;
    if (version === this.#version && identity === this.#identity) return false;
    const { user, isAdministrator } = this.#identity;
    const isSame = version === this.#version && identity.user === user &&
      identity.isAdministrator === isAdministrator;
    this.#version = version;
    this.#identity = identity;
    return !isSame;
  }

  /**
   * Returns whether the client may receive a message now.
   *
   * @param checked the version of the rules that allowed it; undefined: none
   */
  allow({ message }: { readonly message: Message }, checked?: number): boolean {
    const rules = this.#rules;
    return rules === undefined || rules.version === checked ||
      rules.mayReceive(this.#owner.identity, message.topic);
  }
}
