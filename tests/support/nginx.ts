/** nginx with TLS on the loopback, for one test. */
import { type CertificateFiles, createCertificates } from "./certificates.ts";
import { requireTool } from "./needs.ts";
import { Running } from "./processes.ts";

/** A running nginx. */
export interface Nginx extends AsyncDisposable {
  /** Returns the access log: each line has the request line and the referrer. */
  accessLog(): Promise<string>;
}

/**
 * Starts nginx.
 *
 * @param configure returns what is inside `http { }`
 */
export async function startNginx(
  configure: (certificate: CertificateFiles) => string,
): Promise<Nginx> {
  const certificates = await createCertificates();
  const { path } = certificates;
  const certificate = await certificates.create("localhost");
  const log = `${path}/access.log`;
  const bodies = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  const config = `${path}/nginx.conf`;
  await Deno.writeTextFile(
    config,
    [
      "daemon off;",
      "worker_processes 1;",
      ...(Deno.uid() === 0 ? ["user root;"] : []),
      `pid ${path}/nginx.pid;`,
      "error_log stderr notice;",
      "events { }",
      "http {",
      ...bodies.map((name) => `${name}_temp_path ${path}/${name};`),
      `access_log ${log};`,
      configure(certificate),
      "}",
    ].join("\n"),
  );
  const running = new Running(requireTool("nginx"), [
    ...["-p", path, "-c", config, "-e", "stderr"],
  ]);
  const nginx: Nginx = {
    accessLog: () => Deno.readTextFile(log),
    [Symbol.asyncDispose]: async () => {
      running.kill("SIGTERM");
      await running.ended();
      await certificates[Symbol.asyncDispose]();
    },
  };
  try {
    await running.waitFor(/start worker process \d/);
    return nginx;
  } catch (error) {
    await nginx[Symbol.asyncDispose]();
    throw error;
  }
}
