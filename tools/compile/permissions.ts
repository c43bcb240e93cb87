/**
 * What an executable may do: the least that serves every command.
 *
 * - `net`: brokers, wherever they are; the embedded broker's own ports.
 * - `read`: files of readings, certificates, the store, wherever they are.
 * - `write`: the store, likewise.
 * - `env`: the settings. Without a list of names, because a library of mqtt.js
 *   (`debug`) lists the whole environment when it is loaded.
 *
 * Not: running programs, native libraries, and facts about the machine (`sys`),
 * which nothing asks for. `--no-prompt`: what is not granted fails at once; a
 * service has nobody to ask.
 */
export const PERMISSIONS: readonly string[] = [
  "--no-prompt",
  "--allow-net",
  "--allow-read",
  "--allow-write",
  "--allow-env",
];
