/** Clients that try passwords of the embedded broker. */
import assert from "node:assert/strict";
import { addUser } from "../../src/broker/access/users_edit.ts";
import { hashPassword } from "../../src/broker/access/password.ts";
import { needs, requireTool } from "../support/needs.ts";
import { occupancy, Running } from "../support/processes.ts";
import { encodeConnect } from "../support/packets.ts";
import { RawConnection } from "../support/raw_connection.ts";
import { tempDir } from "../support/temp.ts";
import { until } from "../support/until.ts";

/** More than may be checked for an address at the same time. */
const ATTACKERS = 60;

Deno.test({
  name:
    "a flood of wrong passwords: their answers wait, others log in, one line is logged",
  // The good client has an address of its own, 127.0.0.2.
  ignore: needs("mosquitto_pub").ignore || Deno.build.os !== "linux",
  fn: async () => {
    await using folder = await tempDir();
    const password = new TextEncoder().encode("right");
    const { text } = await hashPassword(password); // as expensive as users' ones
    const users = await folder.file(
      "users",
      addUser("", { name: "alice", isAdministrator: false, password: text }),
    );
    await using server = occupancy([
      ...["server", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"],
      ...["--users", users],
    ]);
    const [, http] = await server.waitFor(/Dashboard at (\S+)/);
    const [, port] = await server.waitFor(/embedded broker on \S+:(\d+)/);
    await server.waitFor(/Ready/);
    const limited = async () => {
      const metrics = await (await fetch(`${http}metrics`)).text();
      const count = /limit="mqtt-wrong-login"\} (\d+)/.exec(metrics)?.[1];
      return Number(count ?? 0);
    };
    await using stack = new AsyncDisposableStack();
    const attackers: RawConnection[] = [];
    for (let i = 0; i < ATTACKERS; i++) {
      const one = stack.use(await RawConnection.dial(Number(port)));
      attackers.push(one);
      const username = i % 2 === 0 ? "alice" : `user-${i}`;
      await one.write(encodeConnect(`c${i}`, { username, password: `${i}` }));
    }
    await until(async () => await limited() >= 4, { what: "failed logins" });
    await using good = new Running(requireTool("mosquitto_pub"), [
      ...["-A", "127.0.0.2", "-h", "127.0.0.1", "-p", port!, "-q", "1"],
      ...["-u", "alice", "-P", "right", "-t", "occupancy/data", "-m", "1,1,1"],
    ]);
    const { code, stderr } = await good.ended();
    assert.equal(code, 0, stderr);
    const answered = attackers.filter((one) => one.closed).length;
    assert.ok(answered < ATTACKERS, "most attackers wait");
    const lines = server.stderr.split("\n").filter((line) =>
      line.includes("Refused the login")
    );
    assert.equal(lines.length, 1, server.stderr);
    assert.match(lines[0]!, /of the user "(alice|user-\d+)" from 127\.0\.0\.1/);
    server.kill();
    assert.equal((await server.ended()).code, 0);
  },
});
