import assert from "node:assert/strict";
import {
  parseWebhook,
  redactWebhook,
  WebhookSecret,
} from "../../src/webhooks/mod.ts";
import {
  DEFAULT_RETRY_TIMES,
  parseRetryAfter,
  retryDelay,
} from "../../src/webhooks/retry.ts";

Deno.test({
  name: "an address of HTTP is divided into its parts",
  permissions: "none",
  fn: () => {
    assert.deepEqual(parseWebhook("https://hooks.example/T0/B0?x=1#y"), {
      url: "https://hooks.example/T0/B0?x=1",
      authorization: undefined,
      origin: "https://hooks.example",
    });
    assert.deepEqual(parseWebhook("http://ann:p%C3%A4ss@h:8080"), {
      url: "http://h:8080/",
      authorization: `Basic ${new TextEncoder().encode("ann:päss").toBase64()}`,
      origin: "http://h:8080",
    });
    assert.equal(
      parseWebhook("https://token@h/").authorization,
      `Basic ${btoa("token:")}`,
    );
  },
});

Deno.test({
  name: "other addresses are refused with a hint that does not contain them",
  permissions: "none",
  fn: () => {
    const wrong = [
      ...["", "hooks.example/x", "ftp://h/x", "file:///etc/passwd", "https://"],
      ...["mqtt://h", "javascript:alert(1)", "http://h:99999/", "//h/x"],
      ...["https://ann:50%@h/s3cret", "https://h/s3cret https://i/s3cret"],
      "https://h/s3cret\n",
    ];
    for (const text of wrong) {
      assert.throws(
        () => parseWebhook(text),
        (error) =>
          error instanceof RangeError && /\.$/.test(error.message) &&
          !error.message.includes("s3cret"),
        text,
      );
    }
  },
});

Deno.test({
  name: "only scheme, host and port of an address are shown",
  permissions: "none",
  fn: () => {
    for (
      const [text, shown] of [
        ["https://hooks.example/T0/B0", "https://hooks.example/***"],
        [
          "https://a:b@hooks.example:8443/?k=v",
          "https://hooks.example:8443/***",
        ],
        ["http://h", "http://h/"],
        ["http://a:b@h", "http://h/***"],
        ["http://h/x, https://i/y", "http://h/***, https://i/***"],
        ["http://h/x, y", "http://h/***, ***"],
        ["s3cret", "***"],
        ["", "***"],
      ] as const
    ) assert.equal(redactWebhook(text), shown, text);
  },
});

Deno.test({
  name: "a secret is whsec_ and 24 to 64 bytes in Base64",
  permissions: "none",
  fn: () => {
    const secretOf = (bytes: number) =>
      `whsec_${new Uint8Array(bytes).fill(7).toBase64()}`;
    for (const bytes of [24, 32, 64]) new WebhookSecret(secretOf(bytes));
    for (
      const text of [
        ...["", "whsec_", "abc", secretOf(23), secretOf(65), "whsec_äöü"],
        secretOf(32).slice("whsec_".length),
      ]
    ) {
      assert.throws(
        () => new WebhookSecret(text),
        (error) =>
          error instanceof RangeError &&
          (text.length < 8 || !error.message.includes(text)),
        text,
      );
    }
  },
});

Deno.test({
  name: "the example of Standard Webhooks has the documented signature",
  permissions: "none",
  fn: () => {
    // From the specification's reference libraries.
    const secret = new WebhookSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    assert.equal(
      secret.sign(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        '{"test": 2432232314}',
      ),
      "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    );
  },
});

Deno.test({
  name: "delays grow from half a second to five minutes, with jitter",
  permissions: "none",
  fn: () => {
    const delay = (failures: number, random: number, retryAfter?: number) =>
      retryDelay(DEFAULT_RETRY_TIMES, failures, retryAfter, random);
    assert.equal(delay(1, 0), 500);
    assert.equal(delay(1, 1), 1000);
    assert.equal(delay(4, 1), 8000);
    assert.equal(delay(100, 1), 300_000);
    assert.equal(delay(5000, 0), 150_000);
    assert.equal(delay(1, 0, 60_000), 60_000);
    assert.equal(delay(1, 0, 1), 500);
    assert.equal(delay(1, 0, 1e12), 3_600_000);
  },
});

Deno.test({
  name: "Retry-After is a number of seconds or a date",
  permissions: "none",
  fn: () => {
    const now = Date.UTC(2026, 0, 1);
    for (
      const [value, ms] of [
        ["0", 0],
        ["120", 120_000],
        ["Thu, 01 Jan 2026 00:00:30 GMT", 30_000],
        ["Thu, 01 Jan 2015 00:00:30 GMT", 0],
        ["-1", undefined],
        ["1.5", undefined],
        ["soon", undefined],
        ["", undefined],
        [null, undefined],
      ] as const
    ) assert.equal(parseRetryAfter(value, now), ms, `${value}`);
  },
});
