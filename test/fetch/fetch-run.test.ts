import { describe, expect, it } from 'vitest';
import { MAX_MESSAGE_BYTES } from '../../lib/fetch/compare.ts';
import type { FetchDeps } from '../../lib/fetch/fetch-plan.ts';
import { fetchRun } from '../../lib/fetch/fetch-run.ts';
import { REFUSED_BY_QUEUE } from '../../lib/fetch/sink.ts';
import { readMessage } from '../../lib/messages/record-message.ts';
import { holds } from '../../lib/runs/books.ts';
import { noEnds, pausedEnds } from '../../lib/runs/ends.ts';
import { runIdOf } from '../../lib/runs/record.ts';
import { standardTuning } from '../../lib/runtime/tuning.ts';
import { DUE_MS, type FetchWorld, fetchWorld, group, loadedItem, NAME, runId, schedule } from './fetch-world.ts';

const threePages = () => [[group(1), group(2)], [group(3), group(4)], [group(5)]];

const seed = async (world: FetchWorld, ...ids: string[]) => {
  for (const id of ids) await world.idStore.write(NAME, loadedItem(id), { absent: true });
};
const outcomes = async (world: FetchWorld, id = runId) =>
  (await world.ledger(id)).flatMap(({ entries }) => entries).map((entry) => `${entry.outcome} ${entry.id}`);

describe('a run', () => {
  it('reads the snapshot to its end, sends what differs, and writes a ledger that its books agree with', async () => {
    const world = fetchWorld({
      pages: [
        [group(1), group('0'), { name: 'no id' }],
        [group(2, ' '), group('1'), group(3)],
      ],
    });
    await seed(world, '3', 'gone');
    expect(await world.invoke()).toEqual({ runId, end: 'extracted' });
    expect(await outcomes(world)).toEqual([
      'enqueued 1',
      'enqueued 0',
      'invalid record 3',
      'filtered 2',
      'merged 1',
      'enqueued 3',
    ]);
    expect(world.sentIds()).toEqual(['1', '0', '3']);
    const run = await world.run();
    expect(run).toMatchObject({
      status: 'loading',
      scheduledMs: DUE_MS,
      extractedMs: DUE_MS,
      chunks: 2,
      counts: { fetched: 6, filtered: 1, invalid: 1, merged: 1, unchanged: 0, skipped: 0, enqueued: 3 },
      requests: { source: 2, target: 0 },
      vanished: 0,
      doubts: { unreadIds: 1, repeatedIds: 1 },
      warnings: [{ code: 'vanished-unclear' }],
    });
    expect(run).not.toHaveProperty('checkpoint');
    const message = readMessage(world.records.bodies()[0] ?? '');
    expect(message).toMatchObject({ message: { runId, versionMs: run?.versionMs, firstSentMs: DUE_MS, attempts: 0 } });
  });

  it('that finds everything unchanged sends nothing and is balanced at once', async () => {
    const world = fetchWorld({ pages: [[group(1)], [group(2)]] });
    await world.invoke();
    for (const { entries } of await world.ledger()) {
      for (const { id, hash } of entries) await world.idStore.write(NAME, loadedItem(id, hash), { absent: true });
    }
    const nextMs = DUE_MS + 3_600_000;
    expect(await world.invoke(schedule({ scheduledMs: nextMs }))).toMatchObject({ end: 'extracted' });
    expect(world.sentIds()).toHaveLength(2);
    expect(await world.run(nextMs)).toMatchObject({ status: 'balanced', closedMs: DUE_MS, counts: { unchanged: 2 } });
  });

  it('that is a full refresh sends what is loaded too, and says so in its messages', async () => {
    const world = fetchWorld({ pages: [[group(1)]] });
    await world.invoke();
    const [chunk] = await world.ledger();
    await world.idStore.write(NAME, loadedItem('1', chunk?.entries[0]?.hash), { absent: true });
    const nextMs = DUE_MS + 1_000;
    await world.invoke(schedule({ scheduledMs: nextMs, fullRefresh: true }));
    expect(await world.run(nextMs)).toMatchObject({ fullRefresh: true, counts: { enqueued: 1 } });
    expect(readMessage(world.records.bodies()[1] ?? '')).toMatchObject({ message: { refresh: true } });
  });

  it('of an empty source is complete, balanced, and everything loaded has vanished', async () => {
    const world = fetchWorld({ pages: [[]] });
    await seed(world, ...Array.from({ length: 25 }, (_, id) => String(id)));
    await world.invoke();
    const run = await world.run();
    expect(run).toMatchObject({ status: 'balanced', vanished: 25, counts: { fetched: 0 } });
    expect(run?.vanishedSample).toHaveLength(20);
  });

  it('keeps a page of more records than a ledger chunk holds in several chunks, and sends all of them', async () => {
    const page = Array.from({ length: 12_001 }, (_, id) => group(id));
    const world = fetchWorld({ pages: [page, [group('last')]] });
    await world.invoke();
    const chunks = await world.ledger();
    expect(chunks.map(({ index, entries }) => [index, entries.length])).toEqual([
      [1, 5_000],
      [2, 5_000],
      [3, 2_001],
      [4, 1],
    ]);
    expect(new Set(world.sentIds()).size).toBe(12_002);
    expect(await world.run()).toMatchObject({ counts: { fetched: 12_002, enqueued: 12_002 }, chunks: 4 });
  });

  it('names a record that is too large for the queue, and sends the rest', async () => {
    const world = fetchWorld({ pages: [[group(1, 'x'.repeat(MAX_MESSAGE_BYTES)), group(2)]] });
    await world.invoke();
    expect(await outcomes(world)).toEqual(['invalid 1', 'enqueued 2']);
  });

  it('never carries an older version than an earlier run, whatever the clock says', async () => {
    const world = fetchWorld({ pages: [[group(1)]] });
    await world.clock.advance(1_000);
    await world.invoke(schedule({ scheduledMs: DUE_MS }));
    const slow = { ...world.deps.clock, nowMs: () => DUE_MS + 1_000 };
    await world.clock.advance(400_000);
    const request = schedule({ scheduledMs: DUE_MS + 1_000 });
    const end = fetchRun(request, world.plan, { ...world.deps, clock: slow }, () => 300_000);
    expect((await end).end).toBe('extracted');
    const [first, second] = [await world.run(), await world.run(DUE_MS + 1_000)];
    expect(second?.versionMs).toBeGreaterThan(first?.versionMs ?? Number.POSITIVE_INFINITY);
  });

  it('keeps the warnings of the source, counted by their code, with the last words', async () => {
    const world = fetchWorld({ pages: threePages() });
    const warned = (count: number, message: string) => [{ code: 'source-429', count, message }];
    const page = (records: unknown[], next: number, message: string) =>
      ({
        kind: 'page',
        records: records as never,
        next: { page: next },
        requests: 2,
        warnings: warned(next, message),
      }) as const;
    world.answers.set(0, page([group(1), group(2)], 1, 'first'));
    world.answers.set(1, page([group(3), group(4)], 2, 'second'));
    await world.invoke();
    expect(await world.run()).toMatchObject({ warnings: warned(3, 'second'), requests: { source: 5 } });
    expect(world.logged.filter(({ event }) => event === 'source-warning')).toHaveLength(2);
  });
});

describe('one run at a time', () => {
  it('an event delivered twice starts one run', async () => {
    const world = fetchWorld({ pages: threePages() });
    await world.invoke();
    expect(await world.invoke()).toEqual({ runId, end: 'duplicate' });
    await world.clock.advance(86_400_000);
    expect(await world.invoke()).toEqual({ runId, end: 'duplicate' });
    expect(world.reads).toHaveLength(3);
  });

  it('an event delivered twice at once starts one run', async () => {
    const world = fetchWorld({ pages: threePages() });
    world.pageMs = 1_000;
    const both = [1, 2].map(() => fetchRun(schedule(), world.plan, world.deps, () => 300_000));
    const ends = await world.clock.run(Promise.all(both));
    expect(ends.map(({ end }) => end).sort()).not.toEqual(['extracted', 'extracted']);
    expect(ends.map(({ end }) => end)).toContain('extracted');
    expect(world.sentIds()).toHaveLength(5);
  });

  it('a run that is due while another is under way does not start', async () => {
    const world = fetchWorld({ pages: threePages() });
    world.pageMs = 1_000;
    const first = fetchRun(schedule(), world.plan, world.deps, () => 300_000);
    await world.clock.advance(1_500);
    const second = await fetchRun(schedule({ scheduledMs: DUE_MS + 1_000 }), world.plan, world.deps, () => 300_000);
    expect(second).toEqual({ runId, end: 'overlap' });
    expect(await world.clock.run(first)).toEqual({ runId, end: 'extracted' });
    expect(await world.run(DUE_MS + 1_000)).toBeUndefined();
  });

  it('the next run starts as soon as the one before has ended', async () => {
    const world = fetchWorld({ pages: threePages() });
    await world.invoke();
    expect(await world.invoke(schedule({ scheduledMs: DUE_MS + 60_000 }))).toMatchObject({ end: 'extracted' });
  });

  it('a lost race for the lease is an overlap', async () => {
    const world = fetchWorld({ pages: threePages() });
    const { runs } = world;
    const lost = { ...world.deps, runs: { ...runs, takeLease: async () => 'conflict' as const } };
    expect(await fetchRun(schedule(), world.plan, lost, () => 300_000)).toEqual({ runId, end: 'overlap' });
    expect(world.reads).toEqual([]);
  });
});

describe('a run out of time', () => {
  it('asks to be continued, goes on from its checkpoint in the next invocation, and loses nothing', async () => {
    const world = fetchWorld({ pages: threePages() });
    await seed(world, '2', 'gone');
    world.pageMs = 200_000;
    expect(await world.invoke()).toEqual({ runId, end: 'continued' });
    expect(await world.run()).toMatchObject({
      status: 'extracting',
      checkpoint: { page: { page: 2 }, chunks: 2, fetched: 4 },
    });
    const firstVersionMs = (await world.run())?.versionMs ?? 0;
    const [word] = await world.runRequests.receive(1, 60);
    expect(JSON.parse(word?.body ?? '')).toEqual({ kind: 'continue', integration: NAME, runId });
    expect(await world.invoke({ kind: 'continue', integration: NAME, runId })).toEqual({ runId, end: 'extracted' });
    expect(world.reads).toEqual(['start', { page: 1 }, { page: 2 }]);
    expect(world.sentIds()).toEqual(['1', '2', '3', '4', '5']);
    const run = await world.run();
    expect(run).toMatchObject({ status: 'loading', vanished: 1, counts: { fetched: 5, enqueued: 5 } });
    expect((await world.ledger()).map(({ versionMs }) => versionMs)).toEqual([
      firstVersionMs,
      firstVersionMs,
      run?.versionMs,
    ]);
  });

  it('has ended its lease before it asks to be continued: the next invocation finds it free', async () => {
    const world = fetchWorld({ pages: threePages() });
    world.pageMs = 200_000;
    const { runRequests } = world.deps;
    let leaseUntilMs = Number.POSITIVE_INFINITY;
    world.deps.runRequests = {
      sendAll: async (messages) => {
        leaseUntilMs = (await world.runs.lease(NAME))?.untilMs ?? 0;
        return runRequests.sendAll(messages);
      },
    };
    await world.invoke();
    expect(leaseUntilMs).toBeLessThanOrEqual(world.clock.nowMs());
  });

  it('waits for the source as long as the source says, also before its first page', async () => {
    const world = fetchWorld({ pages: threePages() });
    world.answers.set(0, { kind: 'later', retryAtMs: DUE_MS + 600_000, requests: 1, warnings: [] });
    expect(await world.invoke()).toEqual({ runId, end: 'continued' });
    await world.clock.advance(599_000);
    expect(await world.runRequests.receive(1, 1)).toEqual([]);
    await world.clock.advance(1_000);
    await world.untilExtracted();
    expect(world.reads).toEqual(['start', 'start', { page: 1 }, { page: 2 }]);
    expect(await world.run()).toMatchObject({ counts: { fetched: 5 }, requests: { source: 4 } });
  });

  it.each([
    { title: 'until the source may be asked again', againAfterMs: 600_000, heldMs: 605_000 },
    { title: 'no longer than the word to go on takes', againAfterMs: 86_400_000, heldMs: 905_000 },
  ])('counts as held up by a limit what it waited and what it is put off, $title', async ({ againAfterMs, heldMs }) => {
    const world = fetchWorld({ pages: threePages() });
    const limits = { heldMs: 5_000, throttled: 2, putOff: 1 };
    world.answers.set(0, { kind: 'later', retryAtMs: DUE_MS + againAfterMs, requests: 1, warnings: [], limits });
    await world.invoke();
    expect((await world.run())?.limits?.source).toEqual({ heldMs, throttled: 2, putOff: 1 });
  });

  it('waits no longer than a message can, and then asks again', async () => {
    const world = fetchWorld({ pages: threePages() });
    world.answers.set(0, { kind: 'later', retryAtMs: DUE_MS + 86_400_000, requests: 0, warnings: [] });
    await world.invoke();
    await world.clock.advance(900_000);
    expect(await world.runRequests.receive(1, 1)).toHaveLength(1);
  });

  it('is continued by the next schedule where the request to continue it is lost', async () => {
    const world = fetchWorld({ pages: threePages() });
    world.pageMs = 200_000;
    const refusing = { ...world.deps, runRequests: { sendAll: async () => ({ failed: [0] }) } };
    const endMs = DUE_MS + 300_000;
    const remaining = () => endMs - world.clock.nowMs();
    await world.clock.run(fetchRun(schedule(), world.plan, refusing, remaining));
    const nextMs = DUE_MS + 3_600_000;
    expect(await world.invoke(schedule({ scheduledMs: nextMs }))).toEqual({ runId, end: 'extracted' });
    expect(await world.run(nextMs)).toBeUndefined();
  });

  it('a schedule starts nothing while the integration is paused; a person’s word does, and what has begun goes on', async () => {
    const world = fetchWorld({ pages: threePages() });
    world.pageMs = 200_000;
    await world.runs.saveEnds(NAME, pausedEnds(noEnds(), DUE_MS));
    expect(await world.invoke(schedule({ bySchedule: true }))).toEqual({ runId, end: 'paused' });
    expect(await world.run()).toBeUndefined();
    expect(await world.invoke(schedule())).toMatchObject({ runId, end: 'continued' });
    expect(await world.invoke({ kind: 'continue', integration: NAME, runId })).toMatchObject({ runId });
    expect(world.reads.length).toBeGreaterThan(1);
  });

  it('a request to continue a run that is over changes nothing', async () => {
    const world = fetchWorld({ pages: threePages() });
    await world.invoke();
    const before = await world.run();
    const word = { kind: 'continue', integration: NAME, runId } as const;
    expect(await world.invoke(word)).toEqual({ runId, end: 'stale' });
    expect(await world.invoke({ ...word, runId: 'unheard-of' })).toEqual({ runId: 'unheard-of', end: 'stale' });
    expect(await world.run()).toEqual(before);
  });
});

describe('a source that fails', () => {
  it('is reported after its lease has ended, with the status of the run before it', async () => {
    const world = fetchWorld({ pages: threePages() });
    const told: unknown[] = [];
    world.deps.onFailed = async ({ status, failure }, before) => {
      const isLeased = ((await world.runs.lease(NAME))?.untilMs ?? 0) > world.clock.nowMs();
      told.push([before.status, status, failure?.code, isLeased]);
    };
    const why = { code: 'source-unavailable', message: 'the source answers with status 500' };
    for (const [failing, scheduledMs] of [DUE_MS, DUE_MS + 3_600_000].entries()) {
      world.answers.set(failing, { kind: 'failed', ...why, requests: 1, warnings: [] });
      await world.invoke(schedule({ scheduledMs }));
    }
    expect(told).toEqual([
      ['extracting', 'incomplete', 'source-unavailable', false],
      ['incomplete', 'incomplete', 'source-unavailable', false],
    ]);
  });

  it('leaves the run incomplete, says why, concludes nothing, and the next request goes on there', async () => {
    const world = fetchWorld({ pages: threePages() });
    await seed(world, 'gone');
    const why = { code: 'source-unavailable', message: 'the source answers with status 500' };
    world.answers.set(1, { kind: 'failed', ...why, requests: 3, warnings: [] });
    expect(await world.invoke()).toEqual({ runId, end: 'incomplete' });
    expect(await world.run()).toMatchObject({
      status: 'incomplete',
      failure: why,
      vanished: 0,
      vanishedSample: [],
      requests: { source: 4 },
    });
    expect(world.sentIds()).toEqual(['1', '2']);
    const nextMs = DUE_MS + 3_600_000;
    expect(await world.invoke(schedule({ scheduledMs: nextMs }))).toEqual({ runId, end: 'extracted' });
    const run = await world.run();
    expect(run).not.toHaveProperty('failure');
    expect(run).toMatchObject({ status: 'loading', vanished: 1, counts: { fetched: 5 } });
    expect(world.sentIds()).toEqual(['1', '2', '3', '4', '5']);
  });

  it('before the first page leaves nothing to resume: the next run starts over', async () => {
    const world = fetchWorld({ pages: threePages() });
    world.answers.set(0, { kind: 'failed', code: 'token-refused', message: 'no', requests: 1, warnings: [] });
    await world.invoke();
    const nextMs = DUE_MS + 3_600_000;
    expect(await world.invoke(schedule({ scheduledMs: nextMs }))).toEqual({
      runId: runIdOf(NAME, nextMs),
      end: 'extracted',
    });
    expect(await world.run()).toMatchObject({ status: 'incomplete', failure: { code: 'token-refused' } });
  });

  it('is resumed by the next invocation of a daily schedule', async () => {
    const world = fetchWorld({ pages: threePages() });
    world.answers.set(1, { kind: 'failed', code: 'source-unavailable', message: 'no', requests: 1, warnings: [] });
    await world.invoke();
    const dayMs = 24 * 3_600_000;
    await world.clock.advance(dayMs);
    expect(await world.invoke(schedule({ scheduledMs: DUE_MS + dayMs }))).toMatchObject({ end: 'extracted' });
    expect(await world.run()).toMatchObject({ status: 'loading', counts: { fetched: 5 } });
    expect(await world.run(DUE_MS + dayMs)).toBeUndefined();
  });

  it('for too long is not resumed: the next run begins at the first page', async () => {
    const world = fetchWorld({ pages: threePages() });
    world.answers.set(1, { kind: 'failed', code: 'source-unavailable', message: 'no', requests: 1, warnings: [] });
    await world.invoke();
    const { resumeWithinMs } = standardTuning.fetch;
    await world.clock.advance(resumeWithinMs);
    const nextMs = DUE_MS + resumeWithinMs;
    await world.invoke(schedule({ scheduledMs: nextMs }));
    expect(await world.run(nextMs)).toMatchObject({ status: 'loading', counts: { fetched: 5 } });
    expect(await world.run()).toMatchObject({ status: 'incomplete' });
  });

  it('does not turn a full refresh into the rest of an ordinary run', async () => {
    const world = fetchWorld({ pages: threePages() });
    world.answers.set(1, { kind: 'failed', code: 'source-unavailable', message: 'no', requests: 1, warnings: [] });
    await world.invoke();
    const nextMs = DUE_MS + 60_000;
    await world.invoke(schedule({ scheduledMs: nextMs, fullRefresh: true }));
    expect(await world.run(nextMs)).toMatchObject({ fullRefresh: true, counts: { fetched: 5 } });
  });
});

describe('an invocation that was killed', () => {
  it.each([
    ['is gone on with: what it may have sent is in the books of one run', false, { status: 'loading' }],
    ['is abandoned by a full refresh, which says so', true, { status: 'incomplete', failure: { code: 'abandoned' } }],
  ])('before its first page was done %s', async (_, fullRefresh, left) => {
    const world = fetchWorld({ pages: threePages() });
    world.faults.arm(world.faults.calls.length + 6, 'killed before');
    expect(await world.invoke()).toBe('killed');
    expect(await world.run()).toMatchObject({ status: 'extracting' });
    await world.clock.advance(306_000);
    const nextMs = DUE_MS + 3_600_000;
    expect(await world.invoke(schedule({ scheduledMs: nextMs, fullRefresh }))).toMatchObject({ end: 'extracted' });
    expect(await world.run()).toMatchObject(left);
    expect((await world.run(nextMs))?.counts.fetched).toBe(fullRefresh ? 5 : undefined);
  });

  it('holds its lease until it would have ended by itself, and no longer', async () => {
    const world = fetchWorld({ pages: threePages() });
    world.faults.arm(6, 'killed before');
    await world.invoke();
    const next = schedule({ scheduledMs: DUE_MS + 60_000 });
    await world.clock.advance(304_999);
    expect(await world.invoke(next)).toMatchObject({ end: 'overlap' });
    await world.clock.advance(1);
    expect(await world.invoke(next)).toMatchObject({ end: 'extracted' });
  });

  it('holds it as long where it stood still before it took the lease', async () => {
    const world = fetchWorld({ pages: threePages() });
    const { runs } = world.deps;
    const begunMs = world.clock.nowMs();
    world.deps.runs = {
      ...runs,
      run: async (...asked) => {
        await world.clock.sleep(100_000);
        return runs.run(...asked);
      },
    };
    await world.runs.takeLease({ integration: NAME, runId: 'earlier', owner: 'other', untilMs: 0 }, undefined);
    const untilMs: number[] = [];
    world.deps.runs.takeLease = (lease, previous) => {
      untilMs.push(lease.untilMs);
      return runs.takeLease(lease, previous);
    };
    expect(await world.invoke()).toMatchObject({ end: 'extracted' });
    expect(untilMs).toEqual([begunMs + 305_000]);
  });

  it('ends its lease also where it throws: the retry of its event is no duplicate', async () => {
    const world = fetchWorld({ pages: threePages() });
    for (let call = 4; call < 8; call++) {
      world.faults.arm(world.faults.calls.length + call, 'refused');
      if ((await world.invoke()) !== 'killed') break;
      expect((await world.runs.lease(NAME))?.untilMs ?? 0).toBeLessThanOrEqual(world.clock.nowMs());
    }
    expect(await world.invoke()).toMatchObject({ end: 'extracted' });
  });
});

describe('a message that the queue would never take', () => {
  it('costs its record, by name, and nothing else of the page', async () => {
    const world = fetchWorld({ pages: threePages() });
    const { records } = world.deps;
    const narrow: FetchDeps['records'] = {
      depth: records.depth,
      sendAll: async (messages) => {
        const refused = messages.flatMap(({ body }, index) => (body.includes('"id":"2"') ? [index] : []));
        await records.sendAll(messages.filter((_, index) => !refused.includes(index)));
        return { failed: refused, ...(refused.length > 0 && { refused }) };
      },
    };
    const end = await fetchRun(schedule(), world.plan, { ...world.deps, records: narrow }, () => 300_000);
    expect(end).toEqual({ runId, end: 'extracted' });
    expect(world.sentIds()).toEqual(['1', '3', '4', '5']);
    expect(await world.run()).toMatchObject({ counts: { fetched: 5, enqueued: 4, invalid: 1 } });
    expect((await world.ledger()).flatMap(({ entries }) => entries).find(({ id }) => id === '2')).toEqual({
      id: '2',
      outcome: 'invalid',
      reason: REFUSED_BY_QUEUE,
    });
  });
});

describe('a queue that refuses messages', () => {
  it('stops the run before the ledger says that they were sent', async () => {
    const world = fetchWorld({ pages: threePages() });
    const refusing = { ...world.deps, records: { ...world.deps.records, sendAll: async () => ({ failed: [1] }) } };
    await expect(fetchRun(schedule(), world.plan, refusing, () => 300_000)).rejects.toThrow(
      'the records queue refused 1 of 2 messages',
    );
    expect(await world.ledger()).toEqual([]);
    expect(await world.invoke()).toEqual({ runId, end: 'extracted' });
    expect(world.sentIds()).toEqual(['1', '2', '3', '4', '5']);
    expect(holds((await world.run())?.counts as never)).toBe(false);
  });
});
