/** Deployments of Redis for tests. */
import assert from "node:assert/strict";
import { parseRedisAddress } from "../../../src/store/redis/address.ts";
import {
  type DeploymentOptions,
  openDeployment,
} from "../../../src/store/redis/connect.ts";
import {
  type Deployment,
  RedisError,
  type RedisErrorKind,
} from "../../../src/store/redis/deployment.ts";

/** A key of a store. */
export const KEY = "{occupancy/3}:journal";

/** Opens a deployment, and closes it at the end of the scope. */
export async function opened(
  url: string,
  options?: DeploymentOptions,
): Promise<Deployment & Disposable> {
  const deployment = await openDeployment(parseRedisAddress(url), options);
  return Object.assign(deployment, {
    [Symbol.dispose]: () => deployment.close(),
  });
}

/** Asserts that an error has a kind, a text and a hint, and no password. */
export async function assertRejects(
  work: Promise<unknown>,
  kind: RedisErrorKind,
  message: RegExp,
  hint = /./,
): Promise<void> {
  await assert.rejects(work, (error: unknown) => {
    assert(error instanceof RedisError, String(error));
    const { message: text } = error;
    assert.deepEqual([error.kind, message.test(text)], [kind, true], text);
    assert.match(error.hint ?? "", hint);
    assert.doesNotMatch(`${text} ${error.hint}`, /secret/);
    return true;
  });
}
