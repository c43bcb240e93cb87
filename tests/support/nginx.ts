/** nginx with TLS on the loopback, for one test. */
import { requireTool } from "./needs.ts";
import { Running } from "./processes.ts";
import { tempDir } from "./temp.ts";

/** A running nginx. */
export interface Nginx extends AsyncDisposable {
  /** Returns the access log: each line has the request line and the referrer. */
  accessLog(): Promise<string>;
}

/** The certificate that the configuration of {@linkcode startNginx} names. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/**
 * Starts nginx.
 *
 * @param configure returns what is inside `http { }`
 */
export async function startNginx(
  configure: (certificate: Certificate) => string,
): Promise<Nginx> {
  const folder = await tempDir();
  const { path } = folder;
  const certificate = { cert: `${path}/cert.pem`, key: `${path}/key.pem` };
  await createCertificate(certificate);
  const log = `${path}/access.log`;
  const bodies = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  const config = await folder.file(
    "nginx.conf",
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
      await folder[Symbol.asyncDispose]();
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

async function createCertificate({ cert, key }: Certificate): Promise<void> {
  await using openssl = new Running(requireTool("openssl"), [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt"],
    ...["ec_paramgen_curve:P-256", "-nodes", "-days", "2"],
    ...["-subj", "/CN=localhost"],
    ...["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
    ...["-keyout", key, "-out", cert],
  ]);
  const { code, stderr } = await openssl.ended();
  if (code !== 0) throw new Error(`Cannot create a certificate: ${stderr}`);
}
