/** Requests that browsers and `fetch` do not send: malformed, or HTTP/2. */
import assert from "node:assert/strict";
import { Token } from "../../src/http/mod.ts";
import { needs } from "../support/needs.ts";
import { Running } from "../support/processes.ts";
import { randomIntegers } from "../support/random.ts";
import { latin1, rawRequest } from "./raw_http.ts";
import { startServer, type TestServer } from "./support.ts";

const SECRET = "correct-horse-battery-staple";
/** The handshake of RFC 6455, 1.2. */
const HANDSHAKE = [
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  "Sec-WebSocket-Version: 13",
];

for (const token of [undefined, new Token(SECRET)]) {
  const access = token === undefined ? "without a token" : "with a token";

  Deno.test({
    name: `${access} a malformed Host or address answers 400 and logs nothing`,
    ...needs(),
    fn: async () => {
      await using server = await startServer({ token });
      for (
        const [path, host] of [
          ["/", "localhost:99999"],
          ["/", "a b"],
          ["/", "[::1"],
          ["/", "%zz"],
          ["/", ""],
          ["/", "localhost/x"],
          ["/", "localhost?x"],
          ["/", "user@localhost"],
          ["/", "\xfflocalhost"],
          ["/healthz", "localhost:99999"],
          ["/live", "[::1"],
          ["http://localhost:99999/", "localhost"],
        ] as const
      ) {
        const { status, body } = await rawRequest(server.url, [
          `GET ${path} HTTP/1.1`,
          `Host: ${host}`,
        ]);
        assert.equal(status, 400, `${path} ${host}: ${body}`);
        assert.equal(JSON.parse(body).code, "malformed-host");
      }
      assert.deepEqual(server.log, []);
    },
  });
}

Deno.test({
  name: "a request without a Host has the server's own, as in HTTP/1.0",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    const { status } = await rawRequest(server.url, [
      "GET /api/v1/layers HTTP/1.0",
    ]);
    assert.equal(status, 200);
  },
});

Deno.test({
  name: "the host of an absolute address is checked, not only the Host header",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    for (
      const [address, status] of [
        ["http://localhost/api/v1/layers", 200],
        ["http://evil.example/api/v1/layers", 421],
      ] as const
    ) {
      const answer = await rawRequest(server.url, [
        `GET ${address} HTTP/1.1`,
        "Host: localhost",
      ]);
      assert.equal(answer.status, status, answer.body);
    }
  },
});

Deno.test({
  name:
    "GET live answers 426 to all but a WebSocket handshake, and logs nothing",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    const without = (name: string, ...lines: string[]) => [
      ...HANDSHAKE.filter((line) => !line.startsWith(name)),
      ...lines,
    ];
    for (
      const [method, headers, status] of [
        ["GET", [], 426],
        ["GET", without("Connection", "Connection: close"), 426],
        ["GET", without("Connection"), 426],
        ["GET", without("Upgrade", "Upgrade: h2c"), 426],
        ["GET", without("Sec-WebSocket-Version"), 426],
        [
          "GET",
          without("Sec-WebSocket-Version", "Sec-WebSocket-Version: 8"),
          426,
        ],
        ["HEAD", HANDSHAKE, 426],
        ["POST", HANDSHAKE, 405],
        ["GET", without("Sec-WebSocket-Key"), 400],
        ["GET", without("Sec-WebSocket-Key", "Sec-WebSocket-Key: x"), 400],
      ] as const
    ) {
      const what = `${method} ${headers}`;
      const lines = [`${method} /live HTTP/1.1`, "Host: localhost", ...headers];
      const answer = await firstResponse(
        server,
        lines.join("\r\n") + "\r\n\r\n",
      );
      assert.match(answer, new RegExp(`^HTTP/1.1 ${status} `), what);
      if (status === 426) {
        assert.match(answer, /^upgrade: websocket\r$/im, what);
        assert.match(answer, /^sec-websocket-version: 13\r$/im, what);
      }
    }
    const upgraded = await firstResponse(
      server,
      [
        "GET /live HTTP/1.1",
        "Host: localhost",
        ...without(
          "Upgrade",
          "Connection: keep-alive, Upgrade",
          "Upgrade: h2c, WebSocket",
        ),
        "\r\n",
      ].join("\r\n"),
    );
    assert.match(upgraded, /^HTTP\/1\.1 101 /);
    assert.deepEqual(server.log, []);
  },
});

Deno.test({
  name: "HTTP/2 is not supported: its preface is malformed, an upgrade ignored",
  ...needs("curl"),
  fn: async () => {
    await using server = await startServer();
    assert.match(
      await firstResponse(server, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
      /^HTTP\/1\.1 400 /,
    );
    await using curl = new Running("curl", [
      ...["-sS", "--http2", "-o", "-", "-w", "\n%{http_version} %{http_code}"],
      `${server.url}/api/v1/layers`,
    ]);
    const { stdout, stderr } = await curl.ended();
    assert.equal(stdout.split("\n").at(-1), "1.1 200", stdout + stderr);
    assert.deepEqual(server.log, []);
  },
});

Deno.test({
  name: "random requests never answer 500, and the server survives them",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    const random = randomIntegers(14);
    let answered = 0;
    for (let round = 0; round < 20; round++) {
      const requests = Array.from({ length: 20 }, () => randomRequest(random));
      const answers = await Promise.all(
        requests.map((request) => firstResponse(server, request)),
      );
      for (const [i, answer] of answers.entries()) {
        if (answer !== "") answered++;
        const sent = JSON.stringify(requests[i]);
        assert.match(answer, /^$|^HTTP\/1\.[01] [1-4]/, `${sent}: ${answer}`);
      }
    }
    assert.ok(answered > 300, `${answered} of 400 answered`);
    assert.equal((await server.get("/healthz")).status, 200);
    // Refused readings are logged, errors of the server are not.
    const faults = server.log.filter((line) => !line.startsWith("Refused"));
    assert.deepEqual(faults, []);
  },
});

/**
 * Sends bytes and returns the start of the response; empty if the server closes
 * the connection.
 */
async function firstResponse(
  { url }: TestServer,
  request: string,
): Promise<string> {
  const { hostname, port } = new URL(url);
  using connection = await Deno.connect({ hostname, port: Number(port) });
  const buffer = new Uint8Array(16 * 1024);
  try {
    await connection.write(latin1(request));
    await connection.closeWrite(); // the server does not wait for more
    const count = await connection.read(buffer) ?? 0;
    return new TextDecoder("latin1").decode(buffer.subarray(0, count));
  } catch {
    return ""; // the server has reset the connection
  }
}

const METHODS = ["GET", "GET", "GET", "POST", "HEAD", "OPTIONS", "PUT", "X"];
const PATHS = [
  ...["/", "/live", "/healthz", "/metrics", "/openapi.json", "/nothing"],
  ...["/api/v1/cells", "/api/v1/cell", "/api/v1/layers", "/api/v1/readings"],
  ...["/api/v1/plans/default/image", "/assets/x", "*", "//[::1", "/%ff"],
  ...["http://localhost/", "http://[/", "https://a:99999/", "http:///"],
];
const QUERIES = [
  ...["", "", "", "?", "?layer=%ff", "?region=1,2,3", "?x=1&x=2", "?%"],
  ...["?token=x", "?layer[]=a", "?since=-1", "?format=__proto__"],
];
const HEADERS = [
  ...["Host", "Connection", "Upgrade", "Sec-WebSocket-Key", "Content-Length"],
  ...["Sec-WebSocket-Version", "Sec-WebSocket-Extensions", "Content-Type"],
  ...["Transfer-Encoding", "Content-Encoding", "Accept", "Accept-Encoding"],
  ...["If-None-Match", "Last-Event-ID", "Origin", "X-Forwarded-Host"],
  ...["Sec-Fetch-Site", "Authorization", "Cookie", "Expect", "Range"],
];
const VALUES = [
  ...["", "localhost", "localhost:99999", "a b", "[", "%", "null", "*", "\xff"],
  ...["close", "Upgrade", "websocket", "13", "0", "5", "-1", "chunked"],
  ...["gzip", "text/html", "text/csv", "application/json", '"', "1@2", ";="],
  ...["multipart/form-data", "application/x-www-form-urlencoded", "Bearer x"],
];
const BODIES = ["", "1,2,3", "[[1,2,3]]", "\xff", "token=x", "zz\r\n"];
const INSERTIONS = ["\0", "\r", "\n", "\xff", ":", " ", "%"];

/** Returns a request with random parts; a third have random bytes in them. */
function randomRequest(random: (below: number) => number): string {
  const one = (from: readonly string[]) => from[random(from.length)]!;
  const body = one(BODIES);
  const lines = [
    `${one(METHODS)} ${one(PATHS)}${one(QUERIES)} HTTP/1.1`,
    `Host: ${random(4) === 0 ? one(VALUES) : "localhost"}`,
    ...(random(4) === 0 ? HANDSHAKE : []),
    ...Array.from(
      { length: random(4) },
      () => `${one(HEADERS)}: ${one(VALUES)}`,
    ),
    ...(body === "" ? [] : [`Content-Length: ${body.length}`]),
  ];
  const request = lines.join("\r\n") + "\r\n\r\n" + body;
  if (random(3) > 0) return request;
  const at = random(request.length);
  return request.slice(0, at) + one(INSERTIONS) +
    request.slice(at + random(2));
}
