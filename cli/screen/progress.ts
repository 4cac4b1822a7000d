import type { RunSeen } from '../../lib/operate/follow-run.ts';
import { printable } from '../../lib/runtime/printable.ts';
import type { StackEvent } from '../../local/stack/stack.ts';
import { print } from '../terminal/print.ts';
import { cut } from './table.ts';
import { doneWords } from './words.ts';

/** What a person sees while a run goes on: one line that changes on a terminal, now and then a line elsewhere. */
export type Progress = {
  say(line: string): void;
  onSeen(seen: RunSeen): void;
  onEvent(event: StackEvent): void;
  end(): void;
};

const PLAIN_EVERY_MS = 2_000;
const REPORT_FAULTS = 5;
const DEFAULT_COLUMNS = 80;

/** A terminal, or whatever else takes text. */
type Screen = NodeJS.WritableStream & Partial<Pick<NodeJS.WriteStream, 'isTTY' | 'columns'>>;

/** `whyWaiting` says in a few words why records wait to be tried again. */
export const startProgress = (stream: Screen, whyWaiting: () => string | undefined): Progress => {
  let shown = '';
  let shownMs = 0;
  let faults = 0;

  const clearLine = () => {
    if (stream.isTTY && shown !== '') stream.write('\r\u001b[2K');
    shown = '';
  };
  const say = (line: string) => {
    clearLine();
    print(`${line}\n`, stream);
  };
  const show = (line: string) => {
    if (line === shown) return;
    if (stream.isTTY) {
      // A line that wraps could not be taken back.
      stream.write(`\r\u001b[2K${cut(printable(line), (stream.columns ?? DEFAULT_COLUMNS) - 1)}`);
    } else {
      if (Date.now() - shownMs < PLAIN_EVERY_MS) return;
      print(`${line}\n`, stream);
    }
    shown = line;
    shownMs = Date.now();
  };
  const sayFault = (line: string) => {
    if (faults++ < REPORT_FAULTS) say(`  ${line}`);
  };

  return {
    say,
    onSeen: (seen) => show(`  ${stateLine(seen, whyWaiting)}`),
    onEvent: (event) => {
      if (event.kind === 'polling-fault') sayFault(`${event.queueName} could not be read: ${String(event.error)}`);
      if (event.kind === 'invocation' && event.invocation.outcome === 'error') {
        sayFault(event.invocation.error.message);
      }
    },
    end: clearLine,
  };
};

/** What messages wait for that come back later: under a limit most of them have an appointment, and nothing has failed. */
const delayedWords = (delayed: number, isLimited: boolean, why: string | undefined): string => {
  const turn = `${delayed} wait for their turn${isLimited ? ' by the limit' : ''}`;
  if (why === undefined) return turn;
  return isLimited
    ? `${turn}, or to be tried again (last: ${why})`
    : `${delayed} wait to be tried again (last: ${why})`;
};

/** How far a run is, in one line. */
const stateLine = ({ run, backlog, unsent }: RunSeen, whyWaiting: () => string | undefined): string => {
  const { counts, requests, extractedMs } = run;
  const { visible = 0, inFlight = 0, delayed = 0 } = backlog ?? {};
  // Before the first page is written down nothing is known of the reading but that it goes on.
  const isWaiting = extractedMs === undefined && requests.source === 0;
  const read = isWaiting
    ? 'waiting for the first page of the source 等待源的第一页'
    : `${extractedMs === undefined ? 'reading' : 'read'} ${counts.fetched} in ${requests.source} requests`;
  const queued = visible + inFlight;
  // While pages are read the run's record lags behind the queue.
  const handled = Math.max(0, counts.enqueued - queued - delayed - unsent);
  const sent = counts.enqueued === 0 ? [] : [`${counts.enqueued} to load: ${handled} done, ${queued} queued`];
  const waiting = delayed === 0 ? [] : [delayedWords(delayed, run.loadMs !== undefined, whyWaiting())];
  const ledger = [`${unsent} in the ledger 在账本中`, doneWords(run)].filter((words) => words !== '').join(', ');
  return [read, ...sent, ...waiting, ...(unsent === 0 ? [] : [ledger])].join(' · ');
};
