import { describe, expect, test } from 'vitest';
import { recordLogRate, sampledLog } from '../../../lib/aws/telemetry/function-log.ts';
import type { AnyLog } from '../../../lib/runtime/log.ts';

const recording = () => {
  const lines: string[] = [];
  const write = (level: string) => (event: string, fields?: { id?: unknown }) => {
    lines.push(`${level} ${event} ${String(fields?.id ?? '')}`.trim());
  };
  return { lines, log: { info: write('info'), warn: write('warn'), error: write('error') } satisfies AnyLog };
};

const ids = Array.from({ length: 2_000 }, (_, index) => `520330${index}`);

test('about the wanted share of the records is kept', () => {
  const { lines, log } = recording();
  const sampled = sampledLog(log, 0.1);
  for (const id of ids) sampled.info('loaded', { id });
  expect(lines.length).toBeGreaterThan(120);
  expect(lines.length).toBeLessThan(280);
});

test('of a record that is kept every line is there, in every function', () => {
  const first = recording();
  const second = recording();
  for (const id of ids) sampledLog(first.log, 0.1).info('loaded', { id });
  for (const id of ids) sampledLog(second.log, 0.1).info('loaded', { id });
  expect(second.lines).toEqual(first.lines);
});

test('warnings, errors and lines without a record all stay', () => {
  const { lines, log } = recording();
  const sampled = sampledLog(log, 0);
  sampled.info('run-started', { runId: 'r' });
  sampled.warn('rejected', { id: '1' });
  sampled.error('claim-failed', { id: '1' });
  sampled.info('loaded', { id: '1' });
  expect(lines).toEqual(['info run-started', 'warn rejected 1', 'error claim-failed 1']);
});

describe('the setting', () => {
  test.each([
    ['0.25', 0.25],
    ['0', 0],
    ['1', 1],
    ['', 1],
    [undefined, 1],
    ['7', 1],
    ['-1', 1],
    ['often', 1],
  ])('%j means %d', (setting, rate) => {
    expect(recordLogRate(setting)).toBe(rate);
  });
});
