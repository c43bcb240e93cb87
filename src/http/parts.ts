import type { HttpContext } from "./context.ts";
import { problem } from "./openapi/schemas.ts";
import { Problem } from "./problem.ts";
import type { Ask, Route } from "./route.ts";

/**
 * Answers `GET /live`: upgrades to a WebSocket. Who may ask has been checked
 * (token, Host, Origin), and that it is an upgrade. Implemented in `live/mod.ts`.
 */
export type LiveHandler = (request: Request, context: HttpContext) => Response;

/**
 * Answers `GET /` and `GET /assets/*` (HEAD too); undefined for a path that it
 * does not have. The server adds the security headers (the Content-Security-Policy
 * among them) and leaves all others alone. Implemented in `dashboard/mod.ts`.
 */
export type PageHandler = (
  request: Request,
  context: HttpContext,
) => Response | undefined | Promise<Response | undefined>;

/** The two parts that the server is given; without them their paths answer 404. */
export interface HttpParts {
  readonly live?: LiveHandler | undefined;
  readonly page?: PageHandler | undefined;
}

/** The routes of the parts. */
export function partRoutes({ live, page }: HttpParts): Route[] {
  const showPage = async ({ request, url, context }: Ask) => {
    const response = await page?.(request, context);
    if (response !== undefined) return response;
    throw new Problem({
      status: 404,
      code: "not-found",
      message: `There is nothing at ${url.pathname}`,
      hint: "GET / is the page.",
    });
  };
  const missing = problem("There is no such file");
  return [
    {
      method: "GET",
      path: "/",
      needsMap: false,
      operation: {
        summary: "The page that shows the map",
        answers: {
          200: {
            description: "The page",
            content: { "text/html": { schema: { type: "string" } } },
          },
          404: missing,
        },
      },
      handle: showPage,
    },
    {
      method: "GET",
      path: "/assets/*",
      needsMap: false,
      operation: {
        summary: "What the page needs",
        parameters: [{
          name: "file",
          in: "path",
          required: true,
          description: "As the page says.",
          schema: { type: "string" },
        }],
        answers: { 200: { description: "The file" }, 404: missing },
      },
      handle: showPage,
    },
    {
      method: "GET",
      path: "/live",
      needsMap: true,
      operation: {
        summary: "The live feed of the page: a WebSocket",
        description: "docs/LIVE.md tells what goes over it.",
        answers: {
          101: { description: "The feed begins" },
          403: problem("It comes from a page of another origin"),
          426: problem("It is no WebSocket"),
        },
      },
      handle: ({ request, context }) => {
        const upgrade = request.headers.get("upgrade")?.toLowerCase();
        if (upgrade === "websocket" && live) return live(request, context);
        throw new Problem({
          status: 426,
          code: "no-websocket",
          message: "The live feed is a WebSocket",
          hint: "Programs may rather follow GET /api/v1/changes.",
          headers: { upgrade: "websocket" },
        });
      },
    },
  ];
}
