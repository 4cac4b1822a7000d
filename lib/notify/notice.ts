import type { Rest, RestCause, RestNews } from '../connection/limit/health.ts';
import type { RunRecord } from '../runs/record.ts';
import { defined } from '../runtime/defined.ts';

/** What people are told: a title, lines of text, and the facts for machines. */
export type Notice = {
  title: string;
  lines: string[];
  /** The run's record, for the generic format: ids, counts and reasons, no payloads. */
  run?: Pick<RunRecord, 'runId' | 'integration' | 'status' | 'counts' | 'vanished' | 'unsettled' | 'failure'>;
  /** What rests, for the same; `endedMs` where it is over. */
  rest?: RestFacts;
};

type RestFacts = Pick<Rest, 'cause' | 'integration' | 'why' | 'sinceMs' | 'failedProbes'> & {
  connection: string;
  endedMs?: number;
};

const IDS_SHOWN = 5;

const names = (ids: readonly string[] | undefined, total: number): string => {
  if (ids === undefined || ids.length === 0) return '';
  const shown = ids.slice(0, IDS_SHOWN).join(', ');
  return total > IDS_SHOWN ? `: ${shown}, …` : `: ${shown}`;
};

const titleOf = ({ status, counts, integration }: RunRecord, isMended: boolean): string => {
  if (status === 'incomplete') return `The source could not be read 未能读完: ${integration}`;
  if (status === 'failed') return `The run has failed 运行失败: ${integration}`;
  if (status === 'unbalanced') return `Books do not balance 账目不平: ${integration}`;
  return isMended && counts.rejected + counts.uncertain === 0
    ? `Mended, books balance 已补齐: ${integration}`
    : `Records need a look 有记录待处理: ${integration}`;
};

/**
 * The notice for a run that ended, or undefined where there is nothing to tell: a run that balances with every record
 * loaded is silent, unless it had been reported as not balanced before; a source that still cannot be read is told of
 * once. Pure.
 */
export const noticeOf = (run: RunRecord, before: Pick<RunRecord, 'status'>): Notice | undefined => {
  const { runId, integration, status, counts, vanished, unsettled, failure } = run;
  const { rejected, uncertain, open, fetched, enqueued, loaded } = counts;
  const isMended = before.status === 'unbalanced' && status === 'balanced';
  const isNewlyFailed = (status === 'incomplete' || status === 'failed') && before.status !== status;
  const isTrouble = isNewlyFailed || status === 'unbalanced' || (status !== 'incomplete' && rejected + uncertain > 0);
  if (!isTrouble && !isMended) return undefined;
  return {
    title: titleOf(run, isMended),
    lines: [
      `run ${runId}`,
      `fetched 抓取 ${fetched}, enqueued 入队 ${enqueued}, loaded 写入 ${loaded}`,
      ...(rejected > 0 ? [`rejected 被拒 ${rejected}${names(unsettled?.rejected, rejected)}`] : []),
      ...(uncertain > 0 ? [`uncertain 结果未知 ${uncertain}${names(unsettled?.uncertain, uncertain)}`] : []),
      ...(open > 0 ? [`open 未完成 ${open}${names(unsettled?.open, open)}`] : []),
      ...(failure === undefined ? [] : [`${failure.code}: ${failure.message}`]),
      ...(isTrouble ? [`okki-sync status ${runId}`] : []),
    ],
    run: {
      runId,
      integration,
      status,
      counts,
      vanished,
      ...defined({ unsettled }),
      ...defined({ failure }),
    },
  };
};

const restTitles: Readonly<Record<RestCause, Readonly<Record<RestNews['kind'], string>>>> = {
  down: {
    began: 'The target is down, its records wait 目标不可用,暂停发送',
    ended: 'The target is back 目标已恢复',
  },
  'not-understood': {
    began: 'The answers of the target are not understood, nothing more is sent 无法理解目标的应答,已停止发送',
    ended: 'The answers of the target are understood again 目标的应答已恢复正常',
  },
  refused: {
    began: 'The target refuses login or signature, nothing more is sent 目标拒绝登录或签名,已停止发送',
    ended: 'The target lets us in again 目标已恢复访问',
  },
};

/** What a person can do about it. */
const actions: Readonly<Record<RestCause, string[]>> = {
  down: [],
  'not-understood': ['target.success says what an answer means'],
  refused: ['check the credentials, the signature and the clock; the next run tries again'],
};

/** The notice for a rest that began or ended. Pure. */
export const restNoticeOf = (news: RestNews): Notice => {
  const { connection, rest, kind } = news;
  const { cause, integration, why, sinceMs, failedProbes } = rest;
  const endedMs = kind === 'ended' ? news.endedMs : undefined;
  return {
    title: `${restTitles[cause][kind]}: ${integration ?? connection}`,
    lines: [
      `connection ${connection}`,
      ...(why === '' ? [] : [why]),
      `since 始于 ${new Date(sinceMs).toISOString()}`,
      ...(endedMs === undefined ? [] : [`until 终于 ${new Date(endedMs).toISOString()}`]),
      ...(kind === 'began' ? actions[cause] : []),
    ],
    rest: { connection, cause, ...defined({ integration }), why, sinceMs, failedProbes, ...defined({ endedMs }) },
  };
};
