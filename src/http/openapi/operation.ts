/** A JSON Schema, as OpenAPI 3.1 has them (draft 2020-12). */
export type Schema = Readonly<Record<string, unknown>>;

/** A parameter in the query or in the path. */
export interface Parameter {
  readonly name: string;
  readonly in: "query" | "path" | "header";
  readonly required?: boolean;
  readonly description: string;
  readonly schema: Schema;
  /** One that is answered with success on a server that has some cells. */
  readonly example?: unknown;
}

/** What is answered with one status code. */
export interface Answer {
  readonly description: string;
  /** By media type. */
  readonly content?: Readonly<
    Record<string, { readonly schema: Schema; readonly example?: unknown }>
  >;
}

/** What OpenAPI says of a route (OpenAPI 3.1, Operation Object). */
export interface Operation {
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: readonly Parameter[];
  readonly body?: {
    readonly description: string;
    readonly content: Readonly<
      Record<string, { readonly schema: Schema; readonly example: unknown }>
    >;
  };
  /** By status code. */
  readonly answers: Readonly<Record<number, Answer>>;
  /** True if it needs no token where one is asked for. */
  readonly open?: boolean;
}
