import { hashPassword } from "../../../broker/access/password.ts";
import {
  addUser,
  deleteUser,
  setPassword,
} from "../../../broker/access/users_edit.ts";
import {
  type User,
  userNameProblem,
} from "../../../broker/access/users_file.ts";
import { AppError } from "../../../common/errors.ts";
import { plural } from "../../../common/plural.ts";
import { printable, printableJson } from "../../../common/printable.ts";
import { env } from "../../env.ts";
import { usageError } from "../../errors.ts";
import { Exit } from "../../exit_codes.ts";
import { colorDepth, outputSize } from "../../terminal/capabilities.ts";
import { Ending } from "../../terminal/ending.ts";
import { info } from "../../terminal/output.ts";
import { printPaged } from "../../terminal/pager.ts";
import { readNewPassword } from "../../terminal/password.ts";
import { renderTable, type Table } from "../../terminal/table.ts";
import type { UsersFlags } from "./options.ts";
import {
  changeUsersFile,
  readUsersFile,
  type UsersText,
} from "./users_store.ts";

/**
 * Runs `occupancy users`.
 *
 * @param flags its flags
 * @param operands the action, then names of users
 */
export async function users(
  flags: UsersFlags,
  [action, ...names]: readonly string[],
): Promise<number> {
  const { administrator, certificate } = flags;
  if (action !== "add" && (administrator || certificate)) {
    throw usageError(
      `Cannot use --${
        administrator ? "administrator" : "certificate"
      } with users ${action}`,
      "It is an option of occupancy users add.",
    );
  }
  switch (action) {
    case "add":
      await add(flags, oneOf(names, action));
      break;
    case "passwd":
      await changePassword(flags, oneOf(names, action));
      break;
    case "delete":
      await deleteAll(flags, names);
      break;
    default:
      await list(flags, names);
  }
  return Exit.ok;
}

async function add(flags: UsersFlags, name: string): Promise<void> {
  const problem = userNameProblem(name);
  if (problem !== undefined) {
    throw usageError(
      `The user name "${printable(name)}" ${problem}`,
      "Use one word without /, + and #, such as alice or sensor-17.",
    );
  }
  const assertNew = ({ users }: UsersText) => {
    if (!users.users.has(name)) return;
    throw new AppError("user-exists", `There is a user ${name} already`, {
      hint:
        "occupancy users passwd changes the password. To change the role, edit the file.",
    });
  };
  assertNew(await readUsersFile(flags.users, true));
  const password = flags.certificate ? undefined : await newHash(name);
  await changeUsersFile(flags.users, (file) => {
    assertNew(file);
    const isAdministrator = flags.administrator ?? false;
    return addUser(file.text, { name, isAdministrator, password });
  });
  info(flags, `Added ${name} to ${flags.users}`);
}

async function changePassword(flags: UsersFlags, name: string): Promise<void> {
  assertUser(await readUsersFile(flags.users), name);
  const password = await newHash(name);
  await changeUsersFile(flags.users, (file) => {
    assertUser(file, name);
    return setPassword(file.text, name, password);
  });
  info(flags, `Changed the password of ${name} in ${flags.users}`);
}

async function deleteAll(
  flags: UsersFlags,
  names: readonly string[],
): Promise<void> {
  if (names.length === 0) throw missingUser("delete");
  const chosen = [...new Set(names)];
  await readUsersFile(flags.users); // it must exist
  await changeUsersFile(flags.users, (file) => {
    for (const name of chosen) assertUser(file, name);
    return chosen.reduce(deleteUser, file.text);
  });
  for (const name of chosen) {
    info(flags, `Deleted ${name} from ${flags.users}`);
  }
}

async function list(
  flags: UsersFlags,
  names: readonly string[],
): Promise<void> {
  if (names.length > 0) {
    throw usageError(
      `Unexpected argument: ${names[0]}`,
      "occupancy users list shows all users.",
    );
  }
  const all = [...(await readUsersFile(flags.users)).users.users.values()];
  const isTerminal = Deno.stdout.isTerminal();
  const text = flags.json
    ? all.map((user) => `${printableJson(jsonOf(user))}\n`).join("")
    : isTerminal
    ? renderTable(
      tableOf(all),
      outputSize().width,
      colorDepth(flags.color, env, isTerminal) !== "none",
    )
    : all.map((user) => `${rowOf(user).join("\t")}\n`).join("");
  await printPaged(text, { ...flags, headerLines: 1 });
}

/** @throws {AppError} (usage) if there is no name, or more than one */
function oneOf([name, extra]: readonly string[], action: string): string {
  if (name === undefined) throw missingUser(action);
  if (extra === undefined) return name;
  throw usageError(
    "Unexpected argument after the user",
    `occupancy users ${action} takes one user. A password is never written on the command line: all users of the machine can see it.`,
  );
}

function missingUser(action: string): AppError {
  return usageError(
    `Missing user after occupancy users ${action}`,
    action === "add"
      ? "Name the user to add."
      : "Name the user; occupancy users list shows all.",
  );
}

/** @throws {AppError} if there is no such user */
function assertUser({ users }: UsersText, name: string): void {
  if (users.users.has(name)) return;
  throw new AppError("no-user", `There is no user ${printable(name)}`, {
    hint: "Nothing was changed. occupancy users list shows all users.",
  });
}

async function newHash(name: string): Promise<string> {
  using ending = new Ending();
  const password = await readNewPassword(name, ending);
  return (await hashPassword(password)).text;
}

function tableOf(all: readonly User[]): Table {
  return {
    head: ["user", "role", "login", "rules"],
    rows: all.map(rowOf),
    optional: ["login", "role"],
  };
}

function rowOf(user: User): string[] {
  const { name, isAdministrator } = user;
  const role = isAdministrator ? "administrator" : "user";
  return [name, role, loginOf(user), rulesOf(user)];
}

function loginOf({ password }: User): string {
  return password === undefined ? "certificate" : "password";
}

function rulesOf({ isAdministrator, rules, hasDefaults }: User): string {
  if (isAdministrator) return "all";
  const own = plural(rules.length, "rule");
  if (!hasDefaults) return own;
  return rules.length === 0 ? "defaults" : `defaults, ${own}`;
}

function jsonOf(user: User): unknown {
  const { name, isAdministrator, hasDefaults, rules } = user;
  return {
    user: name,
    administrator: isAdministrator,
    login: loginOf(user),
    defaults: !isAdministrator && hasDefaults,
    rules: rules.map(({ denies, action, pattern }) => ({
      ...denies && { deny: true },
      action,
      topic: pattern,
    })),
  };
}
