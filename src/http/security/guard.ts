import { Problem } from "../problem.ts";
import { askForToken, isNavigation, login } from "./login.ts";
import { checkHost, checkSameOrigin } from "./origin.ts";
import type { Token } from "./token.ts";

/** Alive or not is no secret, and supervisors have no token. */
const OPEN = "/healthz";

/** Decides who may ask, before anything is looked at. */
export class Guard {
  readonly #token: Token | undefined;

  /** @param token without it, only this machine may ask */
  constructor(token: Token | undefined) {
    this.#token = token;
  }

  /**
   * Lets a request pass, or not.
   *
   * @returns what to answer instead; undefined to go on
   * @throws {Problem} 401, 403, 421
   */
  check(request: Request, url: URL): Response | undefined {
    if (url.pathname === OPEN) return undefined;
    if (this.#token === undefined) checkHost(request);
    // A page of another origin may neither send readings nor listen.
    if (request.method === "POST" || url.pathname === "/live") {
      checkSameOrigin(request);
    }
    if (this.#token === undefined) return undefined;
    const welcome = login(request, url, this.#token);
    if (welcome !== undefined) return welcome;
    if (this.#token.isShown(request)) return undefined;
    if (isNavigation(request)) return askForToken();
    throw new Problem({
      status: 401,
      code: "no-token",
      message: "This server asks for a token",
      hint: "Send it as Authorization: Bearer TOKEN.",
      headers: { "www-authenticate": 'Bearer realm="occupancy"' },
    });
  }
}
