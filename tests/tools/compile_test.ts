/** Executables: names, failures of the compilation, checksums. */
import assert from "node:assert/strict";
import { AppError } from "../../src/common/errors.ts";
import { checksums } from "../../tools/compile.ts";
import {
  checkBaseRuntime,
  compileFailure,
} from "../../tools/compile/base_runtime.ts";
import { compile } from "../../tools/compile/compile.ts";
import {
  executableName,
  hostTarget,
  TARGETS,
} from "../../tools/compile/executable.ts";
import { exitCodeOf, NO_BASE_RUNTIME } from "../../tools/tool.ts";
import { needs } from "../support/needs.ts";
import { Running } from "../support/processes.ts";
import { tempDir } from "../support/temp.ts";

const [linux, , , mac, windows] = TARGETS;

Deno.test({
  name: "executableName() has version and platform, and .exe for Windows",
  permissions: "none",
  fn: () => {
    assert.deepEqual(TARGETS.map((target) => executableName("0.1.0", target)), [
      "occupancy-0.1.0-linux-x86_64",
      "occupancy-0.1.0-linux-aarch64",
      "occupancy-0.1.0-macos-x86_64",
      "occupancy-0.1.0-macos-aarch64",
      "occupancy-0.1.0-windows-x86_64.exe",
    ]);
  },
});

Deno.test({
  name: "hostTarget() returns undefined for an unsupported machine",
  permissions: "none",
  fn: () => {
    assert.equal(hostTarget("aarch64-apple-darwin"), mac);
    assert.equal(hostTarget("riscv64gc-unknown-linux-gnu"), undefined);
  },
});

Deno.test({
  name:
    "compileFailure() hints at DENORT_BIN if the base runtime cannot be downloaded",
  permissions: "none",
  fn: () => {
    const stderr = `Download https://dl.deno.land/release/v2.9.6/denort-${
      linux!.triple
    }.zip
error: Writing deno compile executable to temporary file
Caused by: error sending request for url (https://…)`;
    const error = compileFailure(linux!, stderr);
    assert.equal(exitCodeOf(error), 69);
    assert.match(
      error.message,
      /linux-x86_64.*base runtime.*https:\/\/dl\.deno/,
    );
    assert.doesNotMatch(error.message, /\n/);
    assert.match(error.hint!, /DENORT_BIN/);
  },
});

Deno.test({
  name: "compileFailure() returns Deno's message for any other failure",
  permissions: "none",
  fn: () => {
    const error = compileFailure(mac!, "error: the disk is full\n");
    assert.equal(exitCodeOf(error), 1);
    assert.match(error.message, /macos-aarch64.*\nerror: the disk is full$/);
  },
});

Deno.test({
  name: "checkBaseRuntime() rejects DENORT_BIN for another platform",
  permissions: "none",
  fn: async () => {
    await checkBaseRuntime(windows!, { denort: undefined, host: linux });
    await assert.rejects(
      checkBaseRuntime(windows!, { denort: "/usr/bin/denort", host: linux }),
      /windows-x86_64: DENORT_BIN is a base runtime for this machine/,
    );
  },
});

Deno.test({
  name: "checkBaseRuntime() rejects a DENORT_BIN that is not a file",
  ...needs(),
  fn: async () => {
    await using folder = await tempDir();
    const denort = `${folder.path}/denort`;
    const check = () => checkBaseRuntime(linux!, { denort, host: linux });
    await assert.rejects(check(), { code: NO_BASE_RUNTIME });
    await folder.file("denort", "");
    await check();
  },
});

Deno.test({
  name: "checksums() gives lines that sha256sum -c accepts",
  ...needs("sh"),
  fn: async () => {
    await using folder = await tempDir();
    await folder.file("b", "two\n");
    await folder.file("a", "one\n");
    await folder.file("SHA256SUMS", await checksums(folder.path, ["b", "a"]));
    await using check = new Running("sha256sum", ["-c", "SHA256SUMS"], {
      cwd: folder.path,
    });
    const { code, stdout } = await check.ended();
    assert.equal(code, 0);
    assert.equal(stdout, "b: OK\na: OK\n");
  },
});

/**
 * A stand-in for Deno whose `compile` writes a script. The real one needs its
 * base runtime, which a machine without network cannot download.
 */
function compilerThatWrites(script: string, status = 0): string {
  return `#!/bin/sh
while [ $# -gt 0 ]; do [ "$1" = --output ] && out=$2; shift; done
cat > "$out" <<'END'
${script}
END
chmod +x "$out"
exit ${status}
`;
}

async function compileWith(script: string): Promise<string[]> {
  await using folder = await tempDir();
  const deno = await folder.file("deno", script);
  await Deno.chmod(deno, 0o755);
  const out = `${folder.path}/dist`;
  await Deno.mkdir(out);
  const error = await compile(linux!, {
    bundle: "occupancy.js",
    folder: out,
    version: "0.1.0",
    host: linux,
    deno,
  }).then(() => undefined, (error) => error);
  const names = [...Deno.readDirSync(out)].map(({ name }) => name);
  if (error === undefined) return names;
  assert.ok(error instanceof AppError, error);
  assert.deepEqual(names, [], "a failure leaves no file");
  throw error;
}

Deno.test({
  name: "compile() makes an executable that prints the right version",
  ...needs("sh"),
  fn: async () => {
    const script = "#!/bin/sh\necho 'occupancy 0.1.0 (0123456789ab)'";
    assert.deepEqual(await compileWith(compilerThatWrites(script)), [
      "occupancy-0.1.0-linux-x86_64",
    ]);
  },
});

Deno.test({
  name: "compile() leaves no file when Deno fails before its end",
  ...needs("sh"),
  fn: async () => {
    await assert.rejects(
      compileWith(compilerThatWrites("half", 1)),
      /deno compile failed/,
    );
  },
});

Deno.test({
  name: "compile() leaves no file when the base runtime is deno itself",
  ...needs("sh"),
  fn: async () => {
    const script = "#!/bin/sh\necho 'deno 2.9.6 (stable, release)'";
    await assert.rejects(
      compileWith(compilerThatWrites(script)),
      /--version prints "deno 2\.9\.6/,
    );
  },
});
