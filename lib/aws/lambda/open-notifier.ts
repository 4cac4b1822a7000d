import { lazyHttp } from '../../connection/http.ts';
import { cachedSecrets, type Env } from '../../connection/secrets.ts';
import { type Notifier, type NotifyEvent, openNotifier } from '../../notify/notifier.ts';
import { systemClock as clock } from '../../runtime/clock.ts';
import { ConfigurationError } from '../../runtime/fault.ts';
import type { Log } from '../../runtime/log.ts';
import { awsSecretStore } from '../secrets/secret-store.ts';

/** Who is told of runs that close, by the environment; undefined: nobody. Throws ConfigurationError. */
export const notifierOf = (env: Env, log: Log<NotifyEvent>): Notifier | undefined =>
  openNotifier(env, { http: lazyHttp, secrets: cachedSecrets(awsSecretStore, clock), clock, log });

/** As `notifierOf`; set up wrongly it tells nobody, and the log says so: a run must not fail for it. */
export const notifierIfAny = (env: Env, log: Log<NotifyEvent>): Notifier | undefined => {
  try {
    return notifierOf(env, log);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    log.error('notify-misconfigured', { error: error.message });
    return undefined;
  }
};
