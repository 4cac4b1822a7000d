import { awsSecretStore } from '../connection/aws-secret-store.ts';
import { kyHttp } from '../connection/ky-http.ts';
import { cachedSecrets, type Env } from '../connection/secrets.ts';
import { type Notifier, openNotifier } from '../notify/notifier.ts';
import { systemClock as clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';

/** Who is told of runs that close, by the environment; undefined: nobody. Throws ConfigurationError. */
export const notifierOf = (env: Env, log: Log): Notifier | undefined =>
  openNotifier(env, { http: kyHttp, secrets: cachedSecrets(awsSecretStore, clock), clock, log });
