import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { startEmbedded } from '../../cli/stack/embedded.ts';
import { quickIntegration } from './integration-copy.ts';
import { type Counts, jsonOf, newDir, nonZero, program, type Report, runJson, startProgram } from './program.ts';

type Books = Pick<Report, 'runId' | 'status' | 'counts' | 'balanced' | 'deadLetters'> & {
  setAside?: { ids: string[] } & Record<string, unknown>;
};

const dir = newDir();
const integration = quickIntegration(dir, { 'target.onUncertain': 'park' });
const groups = path.join(dir, 'groups.json');
writeFileSync(groups, JSON.stringify(['1', '2', '3', '4', '5'].map((id) => ({ id: Number(id), name: `分组${id}` }))));

const on = (...args: string[]) => program([...args, '--data-dir', dir, '--integration', integration]);
const run = (...faults: string[]) =>
  on('run', '--json', '--groups', groups, ...faults.flatMap((fault) => ['--fault', fault]));

/** What the views say of every run, oldest first, once they are seen to say the same. */
const agreed = async (): Promise<Books[]> => {
  // Held here, the data directory is looked at by all views at once.
  const held = await startEmbedded({ dataDir: dir });
  try {
    const [json, { stdout: text }, list] = await Promise.all([
      on('runs', '--json'),
      on('runs'),
      on('dlq', 'list', '--json'),
    ]);
    const letters = jsonOf<{ letters: unknown[] }>(list).letters.length;
    const { runs } = jsonOf<{ runs: Books[] }>(json);
    for (const books of new Set([runs[0], runs.at(-1)])) {
      if (books === undefined) throw new Error('no run');
      const { runId, status, counts, balanced, setAside } = books;
      // Who looks through the letters hides them from others for that time: each waits for the other.
      const [shown, { stdout: words }] = await Promise.all([on('status', runId, '--json'), on('status', runId)]);
      const seen = jsonOf<Books>(shown);
      expect(seen).toMatchObject({ status, counts, balanced, deadLetters: letters });
      expect(seen.setAside).toEqual(setAside);
      const isClean = counts.open + counts.rejected + counts.uncertain + letters === 0 && setAside === undefined;
      expect(words.includes('✓'), words).toBe(isClean);
      expect([status === 'balanced', counts.open === 0]).toEqual([balanced, balanced]);
      for (const id of setAside?.ids ?? []) expect([text, words].every((view) => view.includes(id))).toBe(true);
      if (counts.open > 0) expect(text).toContain(`${counts.open} open`);
    }
    return runs.reverse();
  } finally {
    await held.close();
  }
};

type Step = {
  what: string;
  command: () => ReturnType<typeof program>;
  code: number;
  /** Of the first run, and of the last where that is another. */
  first: Partial<Counts> & { setAside?: object };
  last?: Partial<Counts> & { setAside?: object };
};

const steps: Step[] = [
  {
    what: 'a run of which two are refused and two uncertain',
    command: () => run('target-refuse:ids=1,2', 'target-commit-then-drop:ids=3,4'),
    code: 1,
    first: { loaded: 1, rejected: 2, uncertain: 2 },
  },
  {
    what: 'a replay',
    command: () => on('dlq', 'replay', '--id', '1', '--json'),
    code: 1,
    first: { loaded: 2, rejected: 1, uncertain: 2 },
  },
  {
    what: 'a discard',
    command: () => on('dlq', 'discard', '--id', '2', '--json'),
    code: 0,
    first: { loaded: 2, rejected: 1, uncertain: 2, setAside: { discarded: 1, ids: ['2'] } },
  },
  {
    what: 'a word that the target has it',
    command: () => on('dlq', 'resolve', '3', '--loaded', '--json'),
    code: 0,
    first: { loaded: 3, rejected: 1, uncertain: 1, setAside: { discarded: 1, resolved: 1 } },
  },
  {
    what: 'a word that the target has it not',
    command: () => on('dlq', 'resolve', '4', '--not-loaded', '--json'),
    code: 0,
    first: { loaded: 3, rejected: 1, open: 1, setAside: { discarded: 1, resolved: 1 } },
  },
  {
    what: 'a later run',
    command: () => run(),
    code: 0,
    first: { loaded: 4, rejected: 1, setAside: { discarded: 1, resolved: 1 } },
    last: { unchanged: 3, skipped: 1, enqueued: 1, loaded: 1, setAside: { discarded: 1, ids: ['2'] } },
  },
  {
    what: 'a resend to a real target, to which nobody says yes',
    command: () =>
      program(['resend', '2', '--data-dir', dir, '--integration', integration], {
        QINGYIYUN_BASE_URL: 'http://127.0.0.1:9',
      }),
    code: 2,
    first: { loaded: 4, rejected: 1, setAside: { discarded: 1, resolved: 1 } },
    last: { unchanged: 3, skipped: 1, enqueued: 1, loaded: 1, setAside: { discarded: 1, ids: ['2'] } },
  },
  {
    what: 'a resend',
    command: () => on('resend', '2', '--json'),
    code: 0,
    first: { loaded: 4, open: 1, setAside: { resolved: 1 } },
    last: { unchanged: 3, skipped: 1, enqueued: 1, loaded: 1, setAside: { toSend: 1 } },
  },
  {
    what: 'the run that sends it',
    command: () => run(),
    code: 0,
    first: { loaded: 5, setAside: { resolved: 1 } },
    last: { unchanged: 4, enqueued: 1, loaded: 1 },
  },
];

test('run, runs, status and dlq list say the same after every operation', async () => {
  for (const { what, command, code, first, last } of steps) {
    const ended = await command();
    expect(ended.code, `${what}: ${ended.stdout}${ended.stderr}`).toBe(code);
    const runs = await agreed();
    for (const [books, expected] of [[runs[0], { enqueued: 5, ...first }] as const, [runs.at(-1), last] as const]) {
      if (expected === undefined || books === undefined) continue;
      const { setAside, ...counts } = expected;
      expect(nonZero(books.counts), what).toEqual({ fetched: 5, ...counts });
      if (setAside === undefined) expect(books.setAside, what).toBeUndefined();
      else expect(books.setAside, what).toMatchObject(setAside);
    }
    // What the run itself has reported is what the views say of it right after it.
    const report = ended.stdout.includes('"durationMs"') ? jsonOf<Books>(ended) : undefined;
    if (report !== undefined) {
      const { runId, status, counts, balanced, setAside } = report;
      expect(runs.at(-1)).toMatchObject({ runId, status, counts, balanced });
      expect(runs.at(-1)?.setAside).toEqual(setAside);
    }
  }
}, 240_000);

test('commands that look at the same moment take turns', async () => {
  const place = newDir();
  const looks = await Promise.all([1, 2, 3].map(() => program(['dlq', 'list', '--json', '--data-dir', place])));
  expect(looks.map(({ code, stderr }) => [code, stderr])).toEqual([1, 2, 3].map(() => [0, '']));
}, 60_000);

test('what is not refused without a letter is not sent again, and says why', async () => {
  const ended = await on('resend', '1', '99', '--json');
  expect(ended.code).toBe(2);
  expect(jsonOf<object>(ended)).toEqual({
    results: [
      { id: '1', kind: 'unsendable', why: 'not-refused' },
      { id: '99', kind: 'unsendable', why: 'unknown-id' },
    ],
  });
});

test('a run that is killed while reading, and again while loading, is one run in the books', async () => {
  const place = newDir();
  const many = path.join(place, 'groups.json');
  writeFileSync(many, JSON.stringify(Array.from({ length: 150 }, (_, at) => ({ id: at + 1, name: `分组${at}` }))));
  // What a killed worker was at is sent again, not parked.
  const resending = quickIntegration(place);
  const args = ['--data-dir', place, '--integration', resending, '--groups', many];
  const killedOnce = async (words: RegExp, fault: string) => {
    const started = startProgram(['run', ...args, '--fault', fault]);
    await started.printed(words);
    started.kill('SIGKILL');
    await started.ended;
  };
  await killedOnce(/waiting for the first page/, 'source-slow:ms=60000');
  // Read to its end: what is still reading would be resumed.
  await killedOnce(/ read 150 in .* 150 to load: [1-9]\d* done/, 'target-slow:ms=1000');
  const { code, report, stderr } = await runJson(args);
  expect(stderr).toContain('stopped while it was loading');
  expect(code, stderr).toBe(0);
  expect(nonZero(report.counts)).toEqual({ fetched: 150, unchanged: 150 });
  const { runs } = jsonOf<{ runs: Books[] }>(
    await program(['runs', '--json', '--data-dir', place, '--integration', resending]),
  );
  expect(runs.map(({ status, counts }) => [status, counts.enqueued, counts.loaded])).toEqual([
    ['balanced', 0, 0],
    ['balanced', 150, 150],
  ]);
}, 240_000);
