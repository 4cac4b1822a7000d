import { styleText } from 'node:util';
import type { RestCause } from '../../lib/connection/limit/health.ts';
import type { Integration } from '../../lib/integration/schema/schema.ts';
import type { ConnectionPause, PutBack } from '../../lib/operate/pauses.ts';
import type { RunBooks } from '../../lib/operate/run-books.ts';
import type { LimitHits } from '../../lib/runs/limits.ts';
import { type RunFailure, type RunRecord, type RunRest, type RunStatus, runFailureOf } from '../../lib/runs/record.ts';

/** A time in the operator's own time zone, to the second; `-` where there is none. */
export const localTime = (ms: number | undefined): string => {
  if (ms === undefined) return '-';
  const date = new Date(ms - new Date(ms).getTimezoneOffset() * 60_000);
  return date.toISOString().slice(0, 19).replace('T', ' ');
};

/** A span of time in one or two units: `850 ms`, `12.3 s`, `4 min 10 s`, `3 h 20 min`, `2 d 4 h`. */
export const span = (ms: number): string => {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  const sec = ms / 1_000;
  if (sec < 60) return `${sec.toFixed(1)} s`;
  if (sec < 3_600) return `${Math.floor(sec / 60)} min ${Math.floor(sec % 60)} s`;
  const hours = Math.floor(sec / 3_600);
  if (hours < 48) return `${hours} h ${Math.floor((sec % 3_600) / 60)} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
};

/** When a run under a limit is loaded, as planned; empty where it is still read, or has no limit. */
export const doneWords = ({ extractedMs, loadMs }: Pick<RunRecord, 'extractedMs' | 'loadMs'>): string =>
  extractedMs === undefined || loadMs === undefined
    ? ''
    : `loaded by about ${localTime(extractedMs + loadMs)} 预计写完`;

/** What was asked of a run that is no ordinary one, behind its start; empty where it is. */
export const takesWords = ({
  fullRefresh,
  selection,
  adoption,
}: Pick<RunRecord, 'fullRefresh' | 'selection' | 'adoption'>): string =>
  [
    ...(fullRefresh ? ['full refresh 全量刷新'] : []),
    ...(adoption === undefined ? [] : ['takes over, sends nothing 接管']),
    ...(selection?.ids === undefined ? [] : [`only ${selection.ids.length} ids 仅指定编号`]),
    ...(selection?.limit === undefined ? [] : [`${selection.limit} at most 限量`]),
  ]
    .map((words) => `  (${words})`)
    .join('');

const failures: Readonly<Record<RunFailure, string>> = {
  'rows-invalid': '✗ Failed: the list is not to be trusted; its valid rows are loaded. 运行失败,合格的行已写入。',
  'target-moved': '✗ Failed: the state is of another target; nothing was sent. 运行失败:目标已更换,未发送任何数据。',
  'mapping-changed': '✗ Failed: the mapping has changed; nothing was sent. 运行失败:映射已变化,未发送任何数据。',
};

/** What a run that has failed did. */
export const failedWords = (run: Pick<RunRecord, 'failure'>): string => failures[runFailureOf(run) ?? 'rows-invalid'];

/** Says of which integrations no run is known: one that is not shipped must be named. */
export const noRuns = (integrations: readonly Integration[]): string => {
  const names = integrations.map(({ name }) => name).join(', ');
  return `There is no run of ${names} yet. --integration FILE looks at another. 还没有任何运行。`;
};

/** How limits held one side up: `held up for 2 min 10 s, 3 answers "too many", 27 put off`; empty where they did not. */
export const limitWords = ({ heldMs, throttled, putOff }: LimitHits): string =>
  [
    ...(heldMs > 0 ? [`held up for ${span(heldMs)}`] : []),
    ...(throttled > 0 ? [`${throttled} ${throttled === 1 ? 'answer' : 'answers'} "too many"`] : []),
    ...(putOff > 0 ? [`${putOff} put off`] : []),
  ].join(', ');

const colours: Readonly<Record<RunStatus, 'green' | 'yellow' | 'red' | 'cyan'>> = {
  extracting: 'cyan',
  loading: 'cyan',
  balanced: 'green',
  incomplete: 'red',
  unbalanced: 'red',
  failed: 'red',
};

/** The status in its colour, on a terminal only (and not with NO_COLOR). */
export const statusWord = ({ run, state }: Pick<RunBooks, 'run' | 'state'>): string =>
  coloured(run.status === 'balanced' && state !== 'settled' ? 'yellow' : colours[run.status], run.status);

/** What the causes of a POST that did not load are to a person. */
const causeWords: Readonly<Record<string, string>> = {
  dns: 'host name not found',
  refused: 'connection refused',
  unreachable: 'no connection',
  tls: 'no secure connection',
  timeout: 'no answer in time',
  reset: 'connection broken',
  tooLarge: 'answer too large',
  throttled: 'rate limit',
  conflict: 'the target is still at an earlier try',
  'access-refused': 'login or signature refused',
  'no-token': 'no token',
  'token-unavailable': 'no token to be had',
};

/** Why records were last put back, in a few words. */
export const putBackWords = (putBack: PutBack | undefined): string | undefined => {
  if (putBack === undefined) return undefined;
  const { cause, status } = putBack;
  return status === undefined ? (causeWords[cause] ?? cause) : `HTTP ${status}`;
};

/** Who asked to wait, until when and why. */
export const pauseWords = ({ connection, untilMs, why = 'no reason is known' }: ConnectionPause): string =>
  `${connection} asks to wait until ${localTime(untilMs)} (${why}) 对方要求等待`;

const restHeads: Readonly<Record<RestCause, string>> = {
  down: 'is down, its records wait 目标不可用',
  'not-understood': 'gives answers that are not understood, nothing more is sent 无法理解应答',
  refused: 'refuses login or signature, nothing more is sent 拒绝登录或签名',
};

const restAdvice: Readonly<Record<RestCause, string>> = {
  down: '',
  'not-understood': '; target.success says what an answer means',
  refused: '; check the credentials, the signature and the clock',
};

/** What a connection rests for, since when, in which words, and what may be done. */
export const restWords = ({ connection, cause, sinceMs, why }: RunRest): string =>
  `${connection} ${restHeads[cause]} (${why}), since ${localTime(sinceMs)}${restAdvice[cause]}`;

/** A rest as a line of a run's books. */
export const pastRestWords = (rest: RunRest): string =>
  `${restWords(rest)}${rest.endedMs === undefined ? '' : `, until ${localTime(rest.endedMs)} 已恢复`}`;

/** Text in a colour where stdout is a terminal that shows colours. */
export const coloured = (colour: 'green' | 'yellow' | 'red' | 'cyan' | 'dim', text: string): string =>
  styleText(colour, text, { stream: process.stdout });
