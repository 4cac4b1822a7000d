import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { ApiDeps } from '../../connection/api/api.ts';
import { lazyHttp } from '../../connection/http.ts';
import type { RateLimiter } from '../../connection/limit/rate-limit.ts';
import { cachedSecrets, type Env } from '../../connection/secrets.ts';
import { systemClock as clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import { systemRandom as random } from '../../runtime/random.ts';
import { dynamoRateLimiter } from '../dynamodb/rate-limiter.ts';
import { dynamoTokenStore } from '../dynamodb/token-store.ts';
import { awsSecretStore } from '../secrets/secret-store.ts';
import { resource } from './environment.ts';

/** What all share that speak to the two ends: HTTP, tokens, secrets and rate limits. Throws ConfigurationError. */
export const openConnections = (dynamo: DynamoDBClient, env: Env, log: Log): ApiDeps & { limiter: RateLimiter } => {
  const table = resource('CONNECTIONS_TABLE', env);
  return {
    http: lazyHttp,
    tokens: dynamoTokenStore(dynamo, table),
    secrets: cachedSecrets(awsSecretStore, clock),
    limiter: dynamoRateLimiter(dynamo, table, clock, random),
    clock,
    random,
    log,
    env,
  };
};
