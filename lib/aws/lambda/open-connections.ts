import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { lazyHttp } from '../../connection/http.ts';
import { cachedSecrets, type Env } from '../../connection/secrets.ts';
import { systemClock as clock } from '../../runtime/clock.ts';
import { systemRandom as random } from '../../runtime/random.ts';
import type { SourceDeps } from '../../source/http-source.ts';
import { dynamoRateLimiter } from '../dynamodb/rate-limiter.ts';
import { dynamoTokenStore } from '../dynamodb/token-store.ts';
import { awsSecretStore } from '../secrets/secret-store.ts';
import { resource } from './environment.ts';

/** What all share that speak to the two ends: HTTP, tokens, secrets and rate limits. Throws ConfigurationError. */
export const openConnections = (dynamo: DynamoDBClient, env: Env, log: SourceDeps['log']): SourceDeps => {
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
