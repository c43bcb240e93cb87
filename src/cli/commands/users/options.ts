import {
  COMMON_OPTIONS,
  PAGER_OPTION,
} from "../../arguments/common_options.ts";
import type { CommandSpec, FlagsOf } from "../../arguments/spec.ts";

/** The options of `occupancy users`. */
export const USERS = {
  description:
    "Add users to the users file of a server with an embedded broker, set their passwords, delete or list them. In a terminal it asks for the password twice; otherwise it reads one line from stdin. Comments and rules in the file stay as they are. A running server reads the file again at SIGHUP. docs/BROKER.md describes the rules.",
  operand: {
    name: "action",
    summary: "what to do",
    choices: ["add", "passwd", "delete", "list"],
    required: true,
    more: { name: "user", summary: "user to add, change or delete" },
  },
  options: [
    {
      name: "users",
      value: "file",
      summary: "users file; add creates it if there is none",
      file: true,
      required: true,
    },
    {
      name: "administrator",
      summary:
        "add: the user may publish and subscribe to everything, and read $SYS",
    },
    {
      name: "certificate",
      summary:
        "add: the user logs in with a client certificate, and has no password",
    },
    { name: "json", summary: "list: print one JSON object per user" },
    PAGER_OPTION,
    ...COMMON_OPTIONS,
  ],
  examples: [
    "users add --users users.conf alice",
    "users add --users users.conf --administrator root",
    "users passwd --users users.conf alice <password.txt",
    "users list --users users.conf",
  ],
} as const satisfies CommandSpec;

/** The flags of `occupancy users`. */
export type UsersFlags = FlagsOf<typeof USERS.options>;
