/**
 * The table of commands. To add one: write its options in a file beside this
 * one, and add a line here. Nothing heavy may be imported: a command's work is
 * loaded when it is chosen.
 *
 * @module
 */
import type { CommandEntry } from "../arguments/spec.ts";

/** All commands, in the order of help. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: "server",
    summary: "keep the map",
    load: async () => (await import("./server/options.ts")).SERVER,
  },
  {
    name: "client",
    summary: "send readings, then print the map",
    load: async () => (await import("./client/options.ts")).CLIENT,
  },
  {
    name: "request",
    summary: "print the map, or watch it change",
    load: async () => (await import("./request/options.ts")).REQUEST,
  },
  {
    name: "simulate",
    summary: "send believable readings of nobody",
    load: async () => (await import("./simulate/options.ts")).SIMULATE,
  },
  {
    name: "doctor",
    summary: "look at all that a server needs",
    load: async () => (await import("./doctor/options.ts")).DOCTOR,
  },
  {
    name: "config",
    summary: "print what is set, and where",
    load: async () => (await import("./config/options.ts")).CONFIG,
  },
  {
    name: "completions",
    summary: "print completions for a shell",
    load: async () => (await import("./completions/options.ts")).COMPLETIONS,
  },
  {
    name: "man",
    summary: "print the manual page",
    load: async () => (await import("./man/options.ts")).MAN,
  },
];
