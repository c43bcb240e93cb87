/** The doctor's check of what a broker allows a server. */
import assert from "node:assert/strict";
import { startMosquitto } from "../support/mosquitto.ts";
import { needs } from "../support/needs.ts";
import { tempDir } from "../support/temp.ts";
import { diagnose } from "./run_doctor.ts";

/** The rules of docs/SECURITY.md, for a client without a user name. */
const SERVER_RULES = [
  "topic read occupancy/data/#",
  "topic read occupancy/request",
  "topic write occupancy/response/#",
  "topic write occupancy/changes/#",
  "topic write occupancy/errors",
  "topic readwrite occupancy/server/#",
  "topic read $SYS/broker/publish/messages/dropped",
];

/** As root, Mosquitto changes to a user that may not read the test's files. */
const withRules = (acl: string) => ["user root", `acl_file ${acl}`];

Deno.test({
  name: "doctor accepts the rules of docs/SECURITY.md for a server",
  ...needs("mosquitto"),
  fn: async () => {
    await using folder = await tempDir();
    const acl = await folder.file("acl", SERVER_RULES.join("\n") + "\n");
    await using mosquitto = await startMosquitto(withRules(acl));
    const found = await diagnose(["--broker", mosquitto.url]);
    assert.equal(found.code, 0, JSON.stringify(found.lines));
    assert.match(found.of("topics")[0]!, /^ok/);
    assert.match(found.of("session")[0]!, /^ok/);
    assert.match(found.of("dropped")[0] ?? "ok", /^ok/);
  },
});

Deno.test({
  name: "doctor reports each topic that a server may not publish to",
  ...needs("mosquitto"),
  fn: async () => {
    for (
      const [without, message] of [
        ["response", /^error: .* refuses messages below occupancy\/response\//],
        ["changes", /^error: .* refuses messages below occupancy\/changes\//],
        ["server", /^error: .* refuses messages below occupancy\/server\//],
      ] as const
    ) {
      await using folder = await tempDir();
      const rules = SERVER_RULES.filter((rule) => !rule.includes(without));
      const acl = await folder.file("acl", rules.join("\n") + "\n");
      await using mosquitto = await startMosquitto(withRules(acl));
      const found = await diagnose(["--broker", mosquitto.url]);
      assert.equal(found.code, 1, without);
      assert.equal(found.of("topics").length, 1, found.of("topics").join());
      assert.match(found.of("topics")[0]!, message);
    }
  },
});

Deno.test({
  name: "doctor reports that a server may not read its own topics",
  ...needs("mosquitto"),
  fn: async () => {
    await using folder = await tempDir();
    const rules = SERVER_RULES.map((rule) =>
      rule.replace("readwrite", "write")
    );
    const acl = await folder.file("acl", rules.join("\n") + "\n");
    await using mosquitto = await startMosquitto(withRules(acl));
    const found = await diagnose(["--broker", mosquitto.url]);
    assert.equal(found.code, 1);
    assert.match(
      found.of("topics")[0]!,
      /^error: A message below occupancy\/server\/ was not received/,
    );
  },
});
