/**
 * What Home Assistant's templates return, for the templates that we send. That
 * it is what Jinja returns is checked in templates_test.ts.
 *
 * @module
 */
import {
  ATTRIBUTES_TEMPLATE,
  AVAILABILITY_TEMPLATE,
  COUNT_TEMPLATE,
  OCCUPIED_TEMPLATE,
  PERCENT_TEMPLATE,
} from "../../src/home_assistant/templates.ts";

// deno-lint-ignore no-explicit-any
type Json = any;

const TEMPLATES: Readonly<Record<string, (json: Json | undefined) => string>> =
  {
    [OCCUPIED_TEMPLATE]: (json) => json ? python(json.occupied) : "",
    [COUNT_TEMPLATE]: (json) =>
      json ? python(json.occupied === null ? null : json.count) : "",
    [PERCENT_TEMPLATE]: (json) => json ? python(json.percent) : "",
    [ATTRIBUTES_TEMPLATE]: (json) => {
      const { occupied: _1, count: _2, percent: _3, ...rest } = json ?? {};
      const { time: _4, revision: _5, ...attributes } = rest;
      return JSON.stringify(attributes);
    },
    [AVAILABILITY_TEMPLATE]: (json) =>
      !json || json.problem !== undefined ? "offline" : json.state,
  };

/**
 * Returns the result of a template for a payload.
 *
 * @throws {Error} if the template is not one of ours
 */
export function render(template: string, payload: string): string {
  const rendered = TEMPLATES[template];
  if (rendered === undefined) throw new Error(`Unknown template: ${template}`);
  return rendered(parsed(payload));
}

function parsed(payload: string): Json | undefined {
  try {
    return JSON.parse(payload);
  } catch {
    return undefined;
  }
}

/** As `str()` in Python. */
function python(value: unknown): string {
  if (value === null) return "None";
  if (value === true) return "True";
  return value === false ? "False" : String(value);
}
