import type { WriteStream } from 'node:tty';
import type { RunRecord } from '../../lib/run/record.ts';
import type { StackEvent } from '../stack/stack.ts';

/** What a person sees while a run goes on: one line that changes on a terminal, now and then a line elsewhere. */
export type Progress = {
  say(line: string): void;
  onRun(run: RunRecord): void;
  onEvent(event: StackEvent): void;
  end(): void;
};

const PLAIN_EVERY_MS = 2_000;
const REPORT_FAULTS = 5;

export const startProgress = (stream: WriteStream): Progress => {
  let delivered = 0;
  let shown = '';
  let shownMs = 0;
  let faults = 0;

  const clearLine = () => {
    if (stream.isTTY && shown !== '') stream.write('\r\u001b[2K');
  };
  const say = (line: string) => {
    clearLine();
    stream.write(`${line}\n`);
    shown = '';
  };
  const show = (line: string) => {
    if (line === shown) return;
    if (stream.isTTY) {
      stream.write(`\r\u001b[2K${line}`);
    } else {
      if (Date.now() - shownMs < PLAIN_EVERY_MS) return;
      stream.write(`${line}\n`);
    }
    shown = line;
    shownMs = Date.now();
  };

  return {
    say,
    onRun: ({ counts, requests, extractedMs }) => {
      const read = `${extractedMs === undefined ? 'reading' : 'read'} ${counts.fetched} in ${requests.source} requests`;
      const sent = `${counts.enqueued} to load`;
      show(`  ${read} · ${sent} · ${delivered} deliveries handled`);
    },
    onEvent: (event) => {
      if (event.kind === 'batch') delivered += event.batch.size;
      if (event.kind === 'polling-fault' && faults++ < REPORT_FAULTS) {
        say(`  ${event.queueName} could not be read: ${String(event.error)}`);
      }
      if (event.kind === 'invocation' && event.invocation.outcome === 'error' && faults++ < REPORT_FAULTS) {
        say(`  ${event.invocation.error.message}`);
      }
    },
    end: () => {
      if (stream.isTTY) clearLine();
      shown = '';
    },
  };
};
