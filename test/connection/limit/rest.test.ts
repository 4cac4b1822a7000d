import { describe, expect, test } from 'vitest';
import { type ConnectionHealth, healthy, type Rest, type Sign } from '../../../lib/connection/limit/health.ts';
import {
  afterProbe,
  askedAnew,
  isWorthTelling,
  restsOf,
  restsWithout,
  shownRests,
  withProbe,
  withRun,
  withSeen,
} from '../../../lib/connection/limit/rest.ts';
import { standardTuning } from '../../../lib/runtime/tuning.ts';

const tuning = standardTuning.connection.rest;
const NOW_MS = 1_000_000;

type Step = { sign?: Sign; ids?: string[]; wellBefore?: number; integration?: string; atMs?: number };

/** What is known after these requests, one a second unless a step says when. */
const healthAfter = (steps: readonly Step[], start: ConnectionHealth = healthy): ConnectionHealth =>
  steps.reduce((health, { sign = 'down', ids = [], wellBefore = 0, integration = 'groups', atMs }, index) => {
    const records = ids.length > 0 ? ids : [String(index)];
    const seen = { integration, records, sign, why: `${sign} ${index}`, wellBefore };
    return withSeen(health, seen, atMs ?? NOW_MS + index * 1_000, tuning);
  }, start);

const times = (count: number, step: Step = {}): Step[] => Array.from({ length: count }, () => step);
const causes = (health: ConnectionHealth, integration = 'groups') =>
  restsOf(health, integration).map(({ cause }) => cause);

describe('a connection rests', () => {
  test.each<[string, Step[]]>([
    ['after ten different records failed', times(10)],
    ['after seven of ten failed, however the others went before', [{ wellBefore: 3 }, ...times(6)]],
    ['after seven of ten failed, the others in between', [...times(4), ...times(3, { sign: 'well' }), ...times(3)]],
    ['after three tries without a connection, of whichever record', times(3, { sign: 'unsent', ids: ['1'] })],
    [
      'after ten such tries in a row, of a short list that went well before',
      [{ sign: 'unsent', ids: ['1'], wellBefore: 5 }, ...times(9, { sign: 'unsent', ids: ['1'] })],
    ],
    ['after three requests of many records', times(3, { ids: Array.from({ length: 40 }, (_, id) => `${id}`) })],
  ])('%s', (_, steps) => {
    const health = healthAfter(steps);
    expect(causes(health)).toEqual(['down']);
    expect(causes(health, 'others on the connection')).toEqual(['down']);
    expect(causes(healthAfter(steps.slice(0, -1)))).toEqual([]);
  });

  test.each<[string, Step[]]>([
    ['where fewer than ten records failed, all of them', [...times(9), { ids: ['8'] }, { ids: ['8'] }]],
    ['where less than seven of ten failed', [{ wellBefore: 4 }, ...times(8)]],
    ['where one record fails again and again', times(30, { ids: ['1'] })],
    [
      'where the failures are spread over more than five minutes',
      times(20).map((_, i) => ({ atMs: NOW_MS + i * 40_000 })),
    ],
    [
      'after nine such tries in a row, of a short list that went well before',
      [{ sign: 'unsent', ids: ['1'], wellBefore: 5 }, ...times(8, { sign: 'unsent', ids: ['1'] })],
    ],
    ['where a connection fails now and then', [{ sign: 'unsent', wellBefore: 1 }, ...times(5, { sign: 'unsent' })]],
    [
      'where two requests failed, however many records they had',
      times(2, { ids: Array.from({ length: 40 }, (_, id) => `${id}`) }),
    ],
  ])('not %s', (_, steps) => {
    expect(causes(healthAfter(steps))).toEqual([]);
  });

  test('in the words of the failure that showed it, and tries one record soon', () => {
    expect(restsOf(healthAfter(times(10)), 'groups')).toEqual([
      {
        cause: 'down',
        why: 'down 9',
        sinceMs: NOW_MS + 9_000,
        probeAtMs: NOW_MS + 9_000 + tuning.pause.baseMs,
        failedProbes: 0,
        runs: [],
      },
    ]);
  });

  test('once: what was under way when it began changes nothing', () => {
    const health = healthAfter(times(10));
    expect(
      withSeen(health, { integration: 'groups', records: ['x'], sign: 'well', why: '', wellBefore: 0 }, NOW_MS, tuning),
    ).toBe(health);
  });
});

describe('an integration rests after five answers in a row that are not understood', () => {
  const unclear: Step = { sign: 'unclear', ids: ['1', '2', '3'] };

  test('each counts one, however many records it is about; other integrations go on', () => {
    expect(causes(healthAfter(times(4, unclear)))).toEqual([]);
    const health = healthAfter(times(5, unclear));
    expect(causes(health)).toEqual(['not-understood']);
    expect(causes(health, 'other')).toEqual([]);
    expect(restsOf(health, 'groups')[0]).not.toHaveProperty('probeAtMs');
  });

  test.each<[string, Step[], number]>([
    ['an answer that is understood begins the count anew', [...times(4, unclear), { sign: 'well' }, unclear], 0],
    ['so does one that its worker had not told of', [...times(4, unclear), { ...unclear, wellBefore: 1 }], 0],
    ['a failure without an answer is none in the row', [...times(4, unclear), { sign: 'down' }, unclear], 1],
    [
      'answers to another integration are none in the row',
      [...times(4, unclear), { ...unclear, integration: 'other' }],
      0,
    ],
  ])('%s', (_, steps, rests) => {
    expect(causes(healthAfter(steps))).toHaveLength(rests);
  });
});

describe('a connection rests after one refused login', () => {
  const refused = healthAfter([{ sign: 'refused' }]);
  const askedMs = NOW_MS + 60_000;

  test('of all integrations, until the next run', () => {
    expect([causes(refused), causes(refused, 'other')]).toEqual([['refused'], ['refused']]);
    expect(restsOf(refused, 'groups')[0]).not.toHaveProperty('probeAtMs');
  });

  test.each<[Sign, string[], boolean]>([
    ['refused', ['refused'], false],
    ['unsent', ['refused'], true],
    ['well', [], false],
    ['unclear', [], false],
  ])('a probe that is answered %s leaves %j; another is sent by itself: %s', (sign, left, isTimed) => {
    const anew = askedAnew(refused, 'groups', askedMs) ?? healthy;
    const probed = withProbe(anew, 'groups', { owner: 'me', untilMs: askedMs + 1 }, askedMs) ?? healthy;
    const after = afterProbe(probed, 'me', { sign, why: '' }, askedMs, tuning);
    expect(causes(after)).toEqual(left);
    expect(restsOf(after, 'groups')[0]?.probeAtMs !== undefined).toBe(isTimed);
  });

  test('of a target that was down before: it answers, and waits for a person', () => {
    const probed = withProbe(healthAfter(times(10)), 'groups', { owner: 'me', untilMs: NOW_MS }, askedMs) ?? healthy;
    const after = afterProbe(probed, 'me', { sign: 'refused', why: '' }, askedMs, tuning);
    expect(after.rests).toMatchObject([{ cause: 'refused', failedProbes: 1 }]);
  });
});

describe('while all is well', () => {
  test('a success is worth telling only while a failure is remembered', () => {
    expect(isWorthTelling(healthy, 'groups')).toBe(false);
    expect(isWorthTelling(healthAfter(times(1)), 'groups')).toBe(true);
    expect(isWorthTelling(healthAfter(times(1, { sign: 'unclear' })), 'groups')).toBe(true);
    expect(isWorthTelling(healthAfter(times(1, { sign: 'unclear' })), 'other')).toBe(false);
    expect(isWorthTelling(healthAfter(times(10)), 'groups')).toBe(false);
  });

  test('what is remembered stays small, and is forgotten once nothing failed lately', () => {
    const many = healthAfter(times(2_000).flatMap(() => [{ ids: ['1'] }, { sign: 'well' as const, ids: ['2', '3'] }]));
    expect(JSON.stringify(many).length).toBeLessThan(20_000);
    const later = { sign: 'well' as const, atMs: NOW_MS + 9_000_000 };
    expect(healthAfter([later], many)).toEqual(healthy);
  });
});

describe('a probe', () => {
  const down = healthAfter(times(10));
  const dueMs = NOW_MS + 9_000 + tuning.pause.baseMs;
  const mine = { owner: 'me', untilMs: dueMs + 60_000 };
  const probing = withProbe(down, 'groups', mine, dueMs) ?? healthy;
  const unclear = askedAnew(healthAfter(times(5, { sign: 'unclear' })), 'groups', dueMs) ?? healthy;
  const asking = withProbe(unclear, 'groups', mine, dueMs) ?? healthy;

  test('is sent when it is time, by one worker, and by another once that one is lost', () => {
    expect(withProbe(down, 'groups', mine, dueMs - 1)).toBeUndefined();
    expect(withProbe(probing, 'groups', { ...mine, owner: 'you' }, dueMs + 1)).toBeUndefined();
    expect(withProbe(probing, 'groups', { ...mine, owner: 'you' }, mine.untilMs)).toBeDefined();
    expect(withProbe(healthy, 'groups', mine, dueMs)).toBeUndefined();
  });

  test('waits for all rests that hold the record: one that is not due keeps it back', () => {
    const both = { ...down, rests: [...down.rests, ...unclear.rests] };
    expect(causes(both)).toEqual(['down', 'not-understood']);
    expect(withProbe(both, 'groups', mine, dueMs)?.rests.map(({ probe }) => probe?.owner)).toEqual(['me', 'me']);
    const notYet = {
      ...both,
      rests: [...down.rests.map((rest) => ({ ...rest, probeAtMs: dueMs + 1 })), ...unclear.rests],
    };
    expect(withProbe(notYet, 'groups', mine, dueMs)).toBeUndefined();
    // The rest of one integration holds nobody else.
    expect(withProbe(both, 'others', mine, dueMs)?.rests.map(({ probe }) => probe?.owner)).toEqual(['me', undefined]);
  });

  test.each<[Sign, boolean, boolean]>([
    ['well', true, true],
    ['unclear', true, false],
    ['down', false, false],
    ['unsent', false, false],
  ])(
    'answered %s ends the rest of a target that was down: %s, of one that was not understood: %s',
    (sign, endsDown, endsOther) => {
      expect(causes(afterProbe(probing, 'me', { sign, why: '' }, dueMs, tuning))).toHaveLength(endsDown ? 0 : 1);
      expect(causes(afterProbe(asking, 'me', { sign, why: '' }, dueMs, tuning))).toHaveLength(endsOther ? 0 : 1);
    },
  );

  test('that says nothing (429, not sent) is no failed one: the next record may be tried', () => {
    const [rest] = restsOf(afterProbe(probing, 'me', undefined, dueMs, tuning), 'groups');
    expect(rest).toMatchObject({ failedProbes: 0, probeAtMs: dueMs });
    expect(rest).not.toHaveProperty('probe');
  });

  test('of another worker ends nothing', () => {
    expect(afterProbe(probing, 'you', { sign: 'well', why: '' }, dueMs, tuning).rests).toEqual(probing.rests);
  });

  test('that fails makes the pause longer each time, up to its longest', () => {
    let health = down;
    const pauses: number[] = [];
    for (let probe = 0; probe < 10; probe++) {
      const atMs = restsOf(health, 'groups')[0]?.probeAtMs ?? 0;
      health = withProbe(health, 'groups', { owner: 'me', untilMs: atMs + 1 }, atMs) ?? healthy;
      health = afterProbe(health, 'me', { sign: 'unsent', why: 'still' }, atMs, tuning);
      pauses.push((restsOf(health, 'groups')[0]?.probeAtMs ?? 0) - atMs);
    }
    expect(pauses).toEqual([4, 8, 16, 32, 64, 128, 256, 300, 300, 300].map((sec) => sec * 1_000));
    expect(restsOf(health, 'groups')[0]).toMatchObject({ failedProbes: 10, why: 'still' });
  });

  test('that is not understood again waits for the next run', () => {
    const [rest] = restsOf(afterProbe(asking, 'me', { sign: 'unclear', why: 'again' }, dueMs, tuning), 'groups');
    expect(rest).toMatchObject({ failedProbes: 1, failedMs: dueMs, why: 'again' });
    expect(rest).not.toHaveProperty('probeAtMs');
  });

  test('is due at once when a run begins, whatever rests its records', () => {
    const both = { ...down, rests: [...down.rests, ...healthAfter(times(5, { sign: 'unclear' })).rests] };
    const anew = askedAnew(both, 'groups', NOW_MS) ?? healthy;
    expect(restsOf(anew, 'groups').map(({ probeAtMs }) => probeAtMs)).toEqual([NOW_MS, NOW_MS]);
    expect(askedAnew(anew, 'groups', NOW_MS)).toBeUndefined();
    expect(askedAnew(healthy, 'groups', NOW_MS)).toBeUndefined();
  });
});

test('a rest remembers the runs that wait for it, as far as they fit', () => {
  const [begun] = healthAfter(times(10)).rests;
  let rest: Rest | undefined = begun;
  for (let run = 0; run < 100 && rest; run++) rest = withRun(rest, { integration: 'groups', runId: `r${run}` }) ?? rest;
  expect(rest?.runs).toHaveLength(20);
  expect(rest && withRun(rest, { integration: 'groups', runId: 'r1' })).toBeUndefined();
});

test('a rest that went on is the same, one that began again is another', () => {
  const one = healthAfter(times(10));
  const later = healthAfter(times(10, {}).map((step, index) => ({ ...step, atMs: NOW_MS + 600_000 + index })));
  expect(restsWithout(one, healthy)).toEqual(one.rests);
  const failedOnce: ConnectionHealth = { ...one, rests: one.rests.map((rest) => ({ ...rest, failedProbes: 1 })) };
  expect(restsWithout(failedOnce, one)).toEqual([]);
  expect(restsWithout(later, one)).toEqual(later.rests);
});

test('people see a rest without its inner book-keeping', () => {
  const [shown] = shownRests(healthAfter(times(10)), 'crm', 'groups');
  expect(shown).toMatchObject({ connection: 'crm', cause: 'down', failedProbes: 0 });
  expect(shown).not.toHaveProperty('runs');
});
