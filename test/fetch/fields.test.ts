import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { driftOf, learnFields } from '../../lib/fetch/fields.ts';
import { DUE_MS, fetchWorld, group, schedule } from './fetch-world.ts';

const drift = (before: object[], now: object[], ...mapped: string[]) =>
  driftOf(learnFields(undefined, before as never), learnFields(undefined, now as never), new Set(mapped)).map(
    ({ code, message }) => `${code}: ${message}`,
  );

describe('the fields of an answer', () => {
  it('are learnt with the kinds of their values, into objects and lists', () => {
    const fields = learnFields(undefined, [
      { id: 1, name: null, info: { label: 'a' }, lines: [{ qty: 1 }, { qty: '2' }] },
      { id: 'x', name: 'A', ok: true },
    ]);
    expect(fields).toEqual({
      id: 'number text',
      name: 'null text',
      info: 'object',
      'info.label': 'text',
      lines: 'list',
      'lines.qty': 'number text',
      ok: 'boolean',
    });
  });

  it('are learnt page by page as they are at once, and are bounded', () => {
    fc.assert(
      fc.property(
        fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { maxLength: 20 }),
        fc.nat(20),
        (records, at) => {
          const all = learnFields(undefined, records as never);
          const pages = learnFields(learnFields(undefined, records.slice(0, at) as never), records.slice(at) as never);
          expect(pages).toEqual(all);
          expect(Object.keys(all).length).toBeLessThanOrEqual(250);
        },
      ),
    );
  });

  it.each<[string, object[], object[], string[]]>([
    ['nothing', [{ a: 1, b: 'x' }], [{ b: 'y', a: 2 }], []],
    ['a new field', [{ a: 1 }], [{ a: 1, b: 1 }], ['field-new: not seen before: b']],
    ['a missing field', [{ a: 1, b: 1 }], [{ a: 1 }], ['field-missing: no record has b any more']],
    ['another type', [{ a: 1 }], [{ a: '1' }], ['field-type-changed: the type changed of a (number → text)']],
    ['a first null', [{ a: 1 }], [{ a: 1 }, { a: null }], ['field-newly-null: null for the first time: a']],
    ['no type after null', [{ a: null }], [{ a: 1 }], []],
    [
      'a mapped field that is gone',
      [{ a: 1, m: 1 }],
      [{ a: 1 }],
      ['mapped-field-missing: no record has m any more, which the mapping takes: check target.metadata.request'],
    ],
  ])('drift: %s', (_, before, now, warnings) => {
    expect(drift(before, now, 'm')).toEqual(warnings);
  });
});

describe('a run that learns its fields', () => {
  it('warns in its books when they are others than in the run before, and an empty list forgets nothing', async () => {
    const world = fetchWorld({
      pages: [[group(1), group(2)]],
      plan: { learns: { mapped: new Set(['name']) }, minShare: 0 },
    });
    const runAt = async (step: number) => {
      await world.invoke(schedule({ scheduledMs: DUE_MS + step }));
      await world.clock.advance(60_000);
      return world.run(DUE_MS + step);
    };
    expect((await runAt(0))?.warnings).toEqual([]);
    world.pages = [[]];
    expect((await runAt(60_000))?.warnings).toEqual([]);
    world.pages = [[{ id: 1, extra: true }]];
    const third = await runAt(120_000);
    expect(third?.warnings.map(({ code }) => code).sort()).toEqual(['field-new', 'mapped-field-missing']);
    expect(third?.fields).toEqual({ id: 'number', extra: 'boolean' });
  });
});
