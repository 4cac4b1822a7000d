import type { Http } from '../connection/http.ts';
import type { RestNews } from '../connection/limit/health.ts';
import { strikeOut } from '../connection/redaction.ts';
import { cachedSecrets, type Env, lookUp, resolveRef, type SecretStore, variableIn } from '../connection/secrets.ts';
import { parsedOrUndefined, stringifyJson } from '../json/json.ts';
import type { RunRecord } from '../runs/record.ts';
import type { Clock } from '../runtime/clock.ts';
import { ConfigurationError, type Fault } from '../runtime/fault.ts';
import type { EventsOf, Log } from '../runtime/log.ts';
import type { Runtime, Stores } from '../stores/stores.ts';
import { type NotifyFormat, notifyFormats, robotAccepted, robotRequest } from './formats.ts';
import { type Notice, noticeOf, restNoticeOf } from './notice.ts';

/** Tells people of runs that ended in trouble. Never throws: a robot that is down must not hold up the books. */
export type Notifier = (run: RunRecord, before: Pick<RunRecord, 'status'>) => Promise<void>;

type About = ({ integration: string; runId: string } | { connection: string }) & { format: NotifyFormat };

/** What telling people of runs logs. */
export type NotifyEvent = EventsOf<{
  notified: About;
  /** `why`: the robot's words, or the kind of the error; `status` where it answered. */
  'notify-failed': About & { why: string; status?: number };
  'notify-misconfigured': { error: string };
}>;

export type NotifierDeps = { http: Http; secrets: SecretStore; clock: Clock; log: Log<NotifyEvent> };

const URL_REF = { env: 'NOTIFY_WEBHOOK_URL' };
const SECRET_REF = { env: 'NOTIFY_SECRET' };

const TIMEOUT_MS = 5_000;
const MAX_ANSWER_BYTES = 64 * 1024;

/**
 * The notifier that the environment describes; undefined where it is off, which it is unless `NOTIFY_FORMAT` is set.
 *
 * `NOTIFY_WEBHOOK_URL` and `NOTIFY_SECRET` may point on (`ssm:…`, `secretsmanager:…`): the address of a robot holds its
 * token. Throws ConfigurationError.
 */
export const openNotifier = (env: Env, deps: NotifierDeps): Notifier | undefined => {
  const robot = openRobot(env, deps);
  if (robot === undefined) return undefined;
  return async (run, before) => {
    const { integration, runId } = run;
    const notice = noticeOf(run, before);
    if (notice !== undefined) await robot(notice, { integration, runId });
  };
};

type Robot = (notice: Notice, about: { integration: string; runId: string } | { connection: string }) => Promise<void>;

/** What tells a robot, as the environment describes it. Throws ConfigurationError. */
const openRobot = (env: Env, deps: NotifierDeps): Robot | undefined => {
  const format = variableIn(env, 'NOTIFY_FORMAT');
  if (format === '') return undefined;
  const known = notifyFormats.find((name) => name === format);
  const faults: Fault[] = [];
  const fault = (path: string, expected: string, found: string) =>
    faults.push({ file: 'environment', path, expected, found });
  if (known === undefined) fault('NOTIFY_FORMAT', notifyFormats.join(', '), JSON.stringify(format));
  const address = lookUp(URL_REF, env);
  if (address.kind === 'missing') fault('NOTIFY_WEBHOOK_URL', "the robot's address", 'nothing');
  // The address holds the robot's token: a wrong one is not repeated.
  if (address.kind === 'value' && !isAddress(address.value)) {
    fault('NOTIFY_WEBHOOK_URL', 'an address such as https://…, or ssm:…', 'another text');
  }
  if (known === undefined || faults.length > 0) throw new ConfigurationError(faults);
  return (notice, about) => notify(known, notice, about, env, deps);
};

const depsOf = ({ secrets }: Pick<Stores, 'secrets'>, { clock, http, log, tuning }: Runtime<NotifyEvent>) => ({
  http,
  secrets: cachedSecrets(secrets, clock, tuning.connection.secretLifeMs),
  clock,
  log,
});

/** As `openNotifier`, in the environment of a process. */
export const notifierOf = (stores: Pick<Stores, 'secrets'>, runtime: Runtime<NotifyEvent>): Notifier | undefined =>
  openNotifier(runtime.env, depsOf(stores, runtime));

/** What opens, or nothing where it is set up wrongly: then the log says so, and what is to be told of must not fail. */
const ifAny = <Opened>(open: () => Opened, { log }: Runtime<NotifyEvent>): Opened | undefined => {
  try {
    return open();
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    log.error('notify-misconfigured', { error: error.message });
    return undefined;
  }
};

/** As `notifierOf`; set up wrongly it tells nobody. */
export const notifierIfAny = (stores: Pick<Stores, 'secrets'>, runtime: Runtime<NotifyEvent>): Notifier | undefined =>
  ifAny(() => notifierOf(stores, runtime), runtime);

/** Tells people of connections that rest, and of the end of that. Set up wrongly it tells nobody. */
export const restNotifierIfAny = (
  stores: Pick<Stores, 'secrets'>,
  runtime: Runtime<NotifyEvent>,
): ((news: RestNews) => Promise<void>) | undefined =>
  ifAny(() => {
    const robot = openRobot(runtime.env, depsOf(stores, runtime));
    return robot && ((news: RestNews) => robot(restNoticeOf(news), { connection: news.connection }));
  }, runtime);

const isAddress = (text: string): boolean => /^https?:$/.test(URL.parse(text)?.protocol ?? '');

const SHOWN_CHARACTERS = 200;
/** A part of a path that is this long is the robot's key (Feishu), and no word. */
const KEY_CHARACTERS = 16;

/** What a robot's address tells of who may write there: all values of its query, and keys in its path. */
const secretsOf = (url: string, secret: string | undefined): string[] => {
  const { searchParams, pathname } = new URL(url);
  const keys = pathname.split('/').filter((part) => part.length >= KEY_CHARACTERS);
  return [...searchParams.values(), ...keys, ...(secret === undefined ? [] : [secret])];
};

const notify = async (
  format: NotifyFormat,
  notice: Notice,
  about: Parameters<Robot>[1],
  env: Env,
  deps: NotifierDeps,
) => {
  const { http, secrets, clock, log } = deps;
  try {
    const url = (await resolveRef(URL_REF, env, secrets)) ?? '';
    const secret = await resolveRef(SECRET_REF, env, secrets);
    const request = robotRequest(format, notice, url, secret, clock.nowMs());
    const answer = await http.send({
      method: 'POST',
      url: request.url,
      headers: { 'content-type': 'application/json; charset=utf-8' },
      body: stringifyJson(request.body),
      timeoutMs: TIMEOUT_MS,
      maxAnswerBytes: MAX_ANSWER_BYTES,
    });
    const taken =
      answer.kind === 'answered' && answer.status < 300 && robotAccepted(format, parsedOrUndefined(answer.text));
    if (taken) {
      log.info('notified', { ...about, format });
      return;
    }
    const why =
      answer.kind === 'answered'
        ? strikeOut(answer.text, secretsOf(request.url, secret)).slice(0, SHOWN_CHARACTERS)
        : answer.cause;
    log.warn('notify-failed', {
      ...about,
      format,
      why,
      ...(answer.kind === 'answered' && { status: answer.status }),
    });
  } catch (error) {
    // Only the kind: a message could quote the address, and with it the robot's token.
    log.warn('notify-failed', { ...about, format, why: error instanceof Error ? error.name : 'unknown' });
  }
};
