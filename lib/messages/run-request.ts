import * as z from 'zod/mini';
import { parseJson } from '../json/json.ts';
import { defined } from '../runtime/defined.ts';

/** Of the records that are to be loaded, what a run takes on: so many, or only these ids. */
export type Selection = { limit?: number; ids?: string[] };

/** Takes over what a target has: `idChunks`: so many chunks hold the only ids that are meant; absent: all are. */
export type AdoptionAsked = { idChunks?: number };

/** A request for a run: by a schedule or a person, or by a run that is out of time and is to be continued. */
export type RunRequest =
  | {
      kind: 'schedule';
      integration: string;
      scheduledMs: number;
      fullRefresh: boolean;
      /** The schedule's own event, and not a person's word: it starts nothing while the integration is paused. */
      bySchedule?: true;
      /** A person confirms what would stop the run, or would keep it from concluding anything. */
      confirmed?: boolean;
      /** Absent: the run takes on all. */
      selection?: Selection;
      /** Nothing is sent: what the source gives is written down as loaded. */
      adoption?: AdoptionAsked;
    }
  | { kind: 'continue'; integration: string; runId: string };

/** Thrown for an event that is no request for a run. */
export class FetchEventError extends Error {
  override readonly name = 'FetchEventError';
  readonly code = 'fetch-event';
}

const isTime = (text: string): boolean => Number.isFinite(Date.parse(text));

const atLeastOne = z.int().check(z.minimum(1));

const selection = z.object({
  limit: z.exactOptional(atLeastOne),
  ids: z.exactOptional(z.array(z.string().check(z.minLength(1))).check(z.minLength(1))),
} satisfies Record<keyof Selection, z.ZodMiniType>);

const adoption = z.object({
  idChunks: z.exactOptional(atLeastOne),
} satisfies Record<keyof AdoptionAsked, z.ZodMiniType>);

const scheduleEvent = z.object({
  kind: z.literal('schedule'),
  integration: z.string().check(z.minLength(1)),
  /** ISO 8601, as EventBridge Scheduler's <aws.scheduler.scheduled-time> is. */
  scheduledTime: z.string().check(z.refine(isTime, 'an ISO 8601 time')),
  fullRefresh: z._default(z.boolean(), false),
  confirmed: z._default(z.boolean(), false),
  selection: z.exactOptional(selection),
  adoption: z.exactOptional(adoption),
});

const continueEvent = z.object({
  kind: z.literal('continue'),
  integration: z.string().check(z.minLength(1)),
  runId: z.string().check(z.minLength(1)),
});

const requestEvent = z.discriminatedUnion('kind', [scheduleEvent, continueEvent]);

const dispatchEvent = z.object({ kind: z.literal('dispatch') });

/** Whether an event asks to send what waits in ledgers: that of a schedule of its own, for all integrations. */
export const isDispatchEvent = (event: unknown): boolean => z.safeParse(dispatchEvent, event).success;

/** An SQS event of the runs queue: continuations, and runs started by hand. */
const queueEvent = z.object({ Records: z.array(z.object({ body: z.string() })) });

export const isQueueEvent = (event: unknown): boolean => z.safeParse(queueEvent, event).success;

/** A request as the runs queue carries it; what reads it is `readFetchEvent`. */
export const writeRunRequest = (request: RunRequest): string => {
  const { kind, integration } = request;
  if (kind === 'continue') return JSON.stringify({ kind, integration, runId: request.runId });
  const { scheduledMs, fullRefresh, confirmed, selection, adoption } = request;
  const scheduledTime = new Date(scheduledMs).toISOString();
  const asked = { fullRefresh, ...(confirmed && { confirmed }), ...defined({ selection }), ...defined({ adoption }) };
  return JSON.stringify({ kind, integration, scheduledTime, ...asked });
};

const readRequest = (event: unknown): RunRequest => {
  const read = z.safeParse(requestEvent, event);
  if (!read.success) {
    const places = read.error.issues.map(({ path }) => path.join('.') || 'kind').join(', ');
    throw new FetchEventError(`not a schedule or continue event; missing or wrong: ${places}`);
  }
  if (read.data.kind === 'continue') return read.data;
  const { kind, integration, scheduledTime, fullRefresh, confirmed, selection, adoption } = read.data;
  return {
    kind,
    integration,
    scheduledMs: Date.parse(scheduledTime),
    fullRefresh,
    ...(confirmed && { confirmed }),
    ...defined({ selection }),
    ...defined({ adoption }),
  };
};

/** The requests in an event of `functions/fetch`: a schedule's own, or those of the runs queue. Throws FetchEventError. */
export const readFetchEvent = (event: unknown): RunRequest[] => {
  const queued = z.safeParse(queueEvent, event);
  if (!queued.success) {
    const request = readRequest(event);
    return [request.kind === 'schedule' ? { ...request, bySchedule: true } : request];
  }
  return queued.data.Records.map(({ body }) => {
    try {
      return readRequest(parseJson(body));
    } catch (cause) {
      if (cause instanceof FetchEventError) throw cause;
      throw new FetchEventError('the message on the runs queue is not JSON', { cause });
    }
  });
};
