/** `occupancy doctor` and what a broker lets a server do. */
import assert from "node:assert/strict";
import { startMosquitto } from "../support/mosquitto.ts";
import { needs } from "../support/needs.ts";
import { tempDir } from "../support/temp.ts";
import { diagnose } from "./run_doctor.ts";

/** As docs/OPERATIONS.md says it, for a user without a name. */
const SERVER_RULES = [
  "topic read occupancy/data/#",
  "topic read occupancy/request",
  "topic write occupancy/response/#",
  "topic write occupancy/changes/#",
  "topic write occupancy/errors",
  "topic readwrite occupancy/server/#",
  "topic read $SYS/broker/publish/messages/dropped",
];

/** As root Mosquitto becomes another user, who may not read what a test wrote. */
const withRules = (acl: string) => ["user root", `acl_file ${acl}`];

Deno.test({
  name:
    "doctor is content with the rights that docs/OPERATIONS.md gives a server",
  ...needs("mosquitto"),
  fn: async () => {
    await using folder = await tempDir();
    const acl = await folder.file("acl", SERVER_RULES.join("\n") + "\n");
    await using mosquitto = await startMosquitto(withRules(acl));
    const found = await diagnose(["--broker", mosquitto.url]);
    assert.equal(found.code, 0, JSON.stringify(found.lines));
    assert.match(found.of("topics")[0]!, /^right/);
    assert.match(found.of("session")[0]!, /^right/);
    assert.match(found.of("losses")[0] ?? "right", /^right/);
  },
});

Deno.test({
  name: "doctor names each topic that a server lacks rights to",
  ...needs("mosquitto"),
  fn: async () => {
    for (
      const [without, says] of [
        ["response", /^wrong: .* publish below occupancy\/response\//],
        ["changes", /^wrong: .* publish below occupancy\/changes\//],
        ["server", /^wrong: .* publish below occupancy\/server\//],
      ] as const
    ) {
      await using folder = await tempDir();
      const rules = SERVER_RULES.filter((rule) => !rule.includes(without));
      const acl = await folder.file("acl", rules.join("\n") + "\n");
      await using mosquitto = await startMosquitto(withRules(acl));
      const found = await diagnose(["--broker", mosquitto.url]);
      assert.equal(found.code, 1, without);
      assert.equal(found.of("topics").length, 1, found.of("topics").join());
      assert.match(found.of("topics")[0]!, says);
    }
  },
});

Deno.test({
  name: "doctor tells that a server may write but not read its own topics",
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
      /^wrong: What is published below occupancy\/server\/ does not come back/,
    );
  },
});
