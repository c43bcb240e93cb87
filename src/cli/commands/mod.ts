/**
 * The table of commands. To add a command, create a folder with `options.ts`
 * and `run.ts`, and an entry here. This file is loaded for `--help` too, so it
 * imports nothing else.
 *
 * @module
 */
import { type CommandEntry, defineCommand } from "../arguments/spec.ts";

/** All commands, in the order of help. */
export const COMMANDS: readonly CommandEntry[] = [
  defineCommand({
    name: "server",
    summary: "run the server",
    writesFiles: true,
    limitsMemory: true,
    loadSpec: async () => (await import("./server/options.ts")).SERVER,
    loadAction: async () => (await import("./server/run.ts")).server,
  }),
  defineCommand({
    name: "client",
    summary: "send readings from a file, then print the map",
    runsPrograms: true,
    loadSpec: async () => (await import("./client/options.ts")).CLIENT,
    loadAction: async () => (await import("./client/run.ts")).client,
  }),
  defineCommand({
    name: "request",
    summary: "print the map, or follow its changes",
    runsPrograms: true,
    loadSpec: async () => (await import("./request/options.ts")).REQUEST,
    loadAction: async () => (await import("./request/run.ts")).request,
  }),
  defineCommand({
    name: "layers",
    summary: "list the layers of a server, or delete some",
    runsPrograms: true,
    loadSpec: async () => (await import("./layers/options.ts")).LAYERS,
    loadAction: async () => (await import("./layers/run.ts")).layers,
  }),
  defineCommand({
    name: "zones",
    summary: "list, import, export, change or delete the zones of a server",
    runsPrograms: true,
    writesFiles: true,
    loadSpec: async () => (await import("./zones/options.ts")).ZONES,
    loadAction: async () => (await import("./zones/run.ts")).zones,
  }),
  defineCommand({
    name: "history",
    summary: "the map at a time, how rooms and cells were used",
    runsPrograms: true,
    writesFiles: true,
    loadSpec: async () => (await import("./history/options.ts")).HISTORY,
    loadAction: async () => (await import("./history/run.ts")).history,
  }),
  defineCommand({
    name: "users",
    summary: "add, change, delete or list users of the embedded broker",
    runsPrograms: true,
    writesFiles: true,
    isOffline: true,
    loadSpec: async () => (await import("./users/options.ts")).USERS,
    loadAction: async () => (await import("./users/run.ts")).users,
  }),
  defineCommand({
    name: "store",
    summary: "copy a store: to move it, as a backup, to restore one",
    writesFiles: true,
    limitsMemory: true,
    loadSpec: async () => (await import("./store/options.ts")).STORE,
    loadAction: async () => (await import("./store/run.ts")).store,
  }),
  defineCommand({
    name: "simulate",
    summary: "send simulated readings",
    runsPrograms: true,
    loadSpec: async () => (await import("./simulate/options.ts")).SIMULATE,
    loadAction: async () => (await import("./simulate/run.ts")).simulate,
  }),
  defineCommand({
    name: "doctor",
    summary: "check broker, store, ports and clock",
    writesFiles: true,
    limitsMemory: true,
    loadSpec: async () => (await import("./doctor/options.ts")).DOCTOR,
    loadAction: async () => (await import("./doctor/run.ts")).doctor,
  }),
  defineCommand({
    name: "config",
    summary: "show effective settings and their source",
    runsPrograms: true,
    isOffline: true,
    loadSpec: async () => (await import("./config/options.ts")).CONFIG,
    loadAction: async () => (await import("./config/run.ts")).config,
  }),
  defineCommand({
    name: "completions",
    summary: "print a completion script for a shell",
    isOffline: true,
    loadSpec: async () =>
      (await import("./completions/options.ts")).COMPLETIONS,
    loadAction: async () => (await import("./completions/run.ts")).completions,
  }),
  defineCommand({
    name: "man",
    summary: "print the manual page",
    isOffline: true,
    loadSpec: async () => (await import("./man/options.ts")).MAN,
    loadAction: async () => (await import("./man/run.ts")).man,
  }),
];
