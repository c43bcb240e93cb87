/** Certificates of an own authority, made with openssl for one test. */
import { requireTool } from "./needs.ts";
import { Running } from "./processes.ts";
import { tempDir } from "./temp.ts";

/** The files of a certificate. */
export interface CertificateFiles {
  /** PEM. */
  readonly cert: string;
  /** Its private key, PEM. */
  readonly key: string;
}

/** Options of {@linkcode Certificates.create}. */
export interface CertificateOptions {
  /** The name of the authority that signs it. Default: it signs itself. */
  readonly authority?: string;
  /** The subject, as `/CN=NAME`. Default: its name. */
  readonly subject?: string;
  /** Subject Alternative Names. Default: those of this machine. */
  readonly names?: string;
  /** How long it is valid, in days. Default 2; negative: it has expired. */
  readonly days?: number;
}

/** A directory with certificates. It is removed at the end of its scope. */
export interface Certificates extends AsyncDisposable {
  readonly path: string;
  /** Creates an authority, or another one with the same name. */
  createAuthority(name: string): Promise<CertificateFiles>;
  /** Creates a certificate, or another one with the same name. */
  create(
    name: string,
    options?: CertificateOptions,
  ): Promise<CertificateFiles>;
}

const LOCAL_NAMES = "DNS:localhost,IP:127.0.0.1";
const NEW_KEY = [
  ...["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"],
];

/** Creates a directory for certificates. */
export async function createCertificates(): Promise<Certificates> {
  const folder = await tempDir();
  const { path } = folder;
  await Deno.chmod(path, 0o755); // for Mosquitto's own user
  const filesOf = (name: string): CertificateFiles => ({
    cert: `${path}/${name}.pem`,
    key: `${path}/${name}.key`,
  });
  const request = async (
    name: string,
    args: string[],
    subject = `/CN=${name}`,
  ) => {
    const { key } = filesOf(name);
    const owner = ["-subj", subject, "-keyout", key];
    await openssl(["req", ...NEW_KEY, ...owner, ...args]);
    await Deno.chmod(key, 0o644); // for Mosquitto's own user
  };
  return {
    path,
    createAuthority: async (name) => {
      const files = filesOf(name);
      await request(name, ["-x509", "-days", "2", "-out", files.cert]);
      return files;
    },
    create: async (name, options = {}) => {
      const { authority, subject, names = LOCAL_NAMES, days = 2 } = options;
      const files = filesOf(name);
      const subjectAltName = `subjectAltName=${names}`;
      if (authority === undefined) {
        await request(name, [
          ...["-x509", "-days", `${days}`, "-addext", subjectAltName],
          ...["-out", files.cert],
        ], subject);
        return files;
      }
      const signer = filesOf(authority);
      await request(name, ["-out", `${path}/${name}.csr`], subject);
      const extensions = await folder.file(`${name}.ext`, subjectAltName);
      await openssl([
        ...["x509", "-req", "-in", `${path}/${name}.csr`],
        ...["-CA", signer.cert, "-CAkey", signer.key, "-CAcreateserial"],
        ...["-days", `${days}`, "-extfile", extensions, "-out", files.cert],
      ]);
      return files;
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

async function openssl(args: string[]): Promise<void> {
  await using running = new Running(requireTool("openssl"), args);
  const { code, stderr } = await running.ended();
  if (code !== 0) throw new Error(`openssl ${args[0]} failed: ${stderr}`);
}
