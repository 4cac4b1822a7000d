import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { transformPlanOf } from '../../lib/integration/compile/run-plan.ts';
import { type JsonValue, parseJson, stringifyJson } from '../../lib/json/json.ts';
import { openTransform } from '../../lib/transform/transform.ts';
import { type Changes, integrationWith } from '../integration/sample.ts';
import { bodies, outcomes, place, prepareAll, reasons } from './snapshot.ts';

const qingyiyun = integrationWith('okki-product-groups-to-qingyiyun');
const crm = integrationWith('okki-product-groups-to-crm');
const crmWith = (changes: Changes) => integrationWith('okki-product-groups-to-crm', changes);

describe('records that are none', () => {
  test('are invalid under their place, and the others go on', () => {
    const prepared = prepareAll(qingyiyun, [null, [1], 'text', 5, { name: 'A' }, { id: null }, { id: 1, name: 'A' }]);
    expect(outcomes(prepared)).toEqual([
      ...[1, 2, 3, 4, 5, 6].map((number) => `invalid page 1, record ${number}`),
      'ready 1',
    ]);
    expect(reasons(prepared)).toEqual([
      'not an object but null',
      'not an object but a list',
      'not an object but a text',
      'not an object but a number',
      'id: id is missing',
      'id: id is null',
    ]);
  });

  test('two records without an id are not repeats of each other', () => {
    expect(outcomes(prepareAll(qingyiyun, [{ name: 'A' }, { name: 'A' }]))).toEqual([
      'invalid page 1, record 1',
      'invalid page 1, record 2',
    ]);
  });

  test('a record nested too deep is invalid instead of the end of the run', () => {
    const deep = parseJson(`${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`);
    expect(reasons(prepareAll(qingyiyun, [{ id: 1, name: 'A', deep }]))).toEqual(['nested more than 100 levels deep']);
  });
});

describe('cleaning', () => {
  test('takes spaces off both ends of texts, full-width ones too', () => {
    expect(bodies(prepareAll(crm, [{ id: 1, name: '\u3000 电子 产品\u3000\t' }]))).toEqual([
      { group_id: 1, group_name: '电子 产品' },
    ]);
  });

  test('leaves texts alone where it is told to', () => {
    const integration = crmWith({ 'transform.clean.trim': false });
    expect(bodies(prepareAll(integration, [{ id: 1, name: ' A ' }]))).toEqual([{ group_id: 1, group_name: ' A ' }]);
  });

  const blanks: JsonValue[] = [
    { id: 1 },
    { id: 2, name: null },
    { id: 3, name: '' },
    { id: 4, name: '\u3000 ' },
    { id: 5, name: 0 },
    { id: 6, name: false },
  ];

  test.each([
    ['delete', 'filtered'],
    ['reject', 'invalid'],
  ])('blank names, action %s: counted as %s; 0 and false are not blank', (action, outcome) => {
    const prepared = prepareAll(crmWith({ 'transform.clean.blank': { fields: ['name'], action } }), blanks);
    expect(outcomes(prepared)).toEqual([
      `${outcome} 1`,
      `${outcome} 2`,
      `${outcome} 3`,
      `${outcome} 4`,
      'ready 5',
      'ready 6',
    ]);
    expect(reasons(prepared)).toEqual(Array.from({ length: 4 }, () => 'name: is blank'));
  });

  test('blank names that are kept are sent as they are', () => {
    const integration = integrationWith('okki-product-groups-to-qingyiyun', {
      'transform.clean.blank': { fields: ['name'], action: 'keep' },
    });
    expect(bodies(prepareAll(integration, [{ id: 3, name: '' }]))).toEqual([{ number: '', id: 3, 编码: '' }]);
  });
});

describe('an id that repeats in one snapshot', () => {
  const first = { id: 1, name: 'A' };

  test('is merged into the first, on the same page and on a later one, as text and as integer', () => {
    const prepared = prepareAll(crm, [first, { name: 'A', id: '1' }], [first]);
    expect(outcomes(prepared)).toEqual(['ready 1', 'merged 1', 'merged 1']);
    expect(reasons(prepared)).toEqual(['repeats a record of this snapshot', 'repeats a record of this snapshot']);
  });

  test('with other content keeps the first and says so', () => {
    const prepared = prepareAll(crm, [first, { id: 1, name: 'B' }]);
    expect(outcomes(prepared)).toEqual(['ready 1', 'merged 1']);
    expect(reasons(prepared)).toEqual(['repeats an id of this snapshot with other content; the first is kept']);
  });

  test('after a record that was not ready takes its place: nothing is missed', () => {
    expect(outcomes(prepareAll(crm, [{ id: 1, name: '' }, first]))).toEqual(['filtered 1', 'ready 1']);
    expect(outcomes(prepareAll(crm, [{ id: 'x', name: 'A' }], [{ id: 1, name: 'A' }]))).toEqual([
      'invalid x',
      'ready 1',
    ]);
  });
});

describe('records with other ids and the same content', () => {
  const groups: JsonValue[] = [
    { id: 1, name: '灯具', parent_id: 5 },
    { id: 2, name: '灯具', parent_id: 6 },
    { id: 3, name: ' 灯具 ', parent_id: 5 },
  ];

  test.each([
    ['merge', 'merged'],
    ['delete', 'filtered'],
    ['reject', 'invalid'],
  ])('action %s: the later one is %s; one name under two parents is two groups', (action, outcome) => {
    const integration = crmWith({ 'transform.duplicates': [{ by: ['name', 'parent_id'], action }] });
    const prepared = prepareAll(integration, groups.slice(0, 2), groups.slice(2));
    expect(outcomes(prepared)).toEqual(['ready 1', 'ready 2', `${outcome} 3`]);
    expect(reasons(prepared)).toEqual(['same name, parent_id as record 1']);
  });

  test('groups without a name are not one group, groups without a parent are compared with each other', () => {
    const integration = integrationWith('okki-product-groups-to-qingyiyun', {
      'transform.clean': {},
      'transform.duplicates': [{ by: ['name', 'parent_id'], action: 'merge' }],
    });
    const prepared = prepareAll(integration, [
      { id: 1, name: '', parent_id: 5 },
      { id: 2, name: '', parent_id: 5 },
      { id: 3, parent_id: 5 },
      { id: 4, parent_id: 5 },
      { id: 5, name: 'A' },
      { id: 6, name: 'A' },
      { id: 7, name: 'A', parent_id: 0 },
    ]);
    expect(outcomes(prepared)).toEqual(['ready 1', 'ready 2', 'ready 3', 'ready 4', 'ready 5', 'merged 6', 'ready 7']);
  });

  test('a record that is not sent is no first: the next one is', () => {
    const prepared = prepareAll(crm, [
      { id: 'bad', name: 'A', parent_id: 0 },
      { id: 2, name: 'A', parent_id: 0 },
    ]);
    expect(outcomes(prepared)).toEqual(['invalid bad', 'ready 2']);
  });
});

describe('ids that become one id in the target', () => {
  const group = (id: JsonValue): JsonValue => ({ id, name: `${id}` });

  test.each([[['group1', 'group01']], [['01', '1']], [['group1', 1]], [['group1', '1', 'group001']], [[' 1', '1']]])(
    'are all refused within one page: %j',
    (ids) => {
      const prepared = prepareAll(crm, [...ids.map(group), group(2)]);
      expect(prepared.map(({ outcome }) => outcome)).toEqual([...ids.map(() => 'invalid'), 'ready']);
    },
  );

  test('name each other', () => {
    expect(reasons(prepareAll(crm, [group('group1'), group('group01')]))).toEqual([
      'becomes 1 in the target, as group01 does',
      'becomes 1 in the target, as group1 does',
    ]);
  });

  test.each([
    ['group1', 'group01'],
    ['1', '01'],
    ['01', '1'],
  ])('are refused on later pages, where the first has gone already: %s, then %s', (earlier, later) => {
    const prepared = prepareAll(crm, [group(earlier)], [group(later), group(earlier)], [group(later)]);
    expect(outcomes(prepared)).toEqual([
      `ready ${earlier}`,
      `invalid ${later}`,
      `merged ${earlier}`,
      `invalid ${later}`,
    ]);
    expect(reasons(prepared)[0]).toBe(`becomes 1 in the target, as ${earlier} does`);
  });

  test('stay refused for the rest of the snapshot once two of them were', () => {
    const prepared = prepareAll(crm, [group('group1'), group('01')], [group('1')], [group('group1')], [group('01')]);
    expect(prepared.map(({ outcome }) => outcome)).toEqual(['invalid', 'invalid', 'invalid', 'invalid', 'invalid']);
  });

  test('do not collide where the target gets them as they are', () => {
    expect(outcomes(prepareAll(qingyiyun, [group('01'), group('1')]))).toEqual(['ready 01', 'ready 1']);
  });
});

describe('the code for people', () => {
  test('is what the source block names, and may be missing', () => {
    const integration = crmWith({ 'source.metadata.number': 'code', 'transform.duplicates': [] });
    const prepared = prepareAll(integration, [
      { id: 1, name: 'A', code: 7 },
      { id: 2, name: 'A' },
      { id: 3, name: 'A', code: {} },
    ]);
    expect(prepared.map((one) => ('number' in one ? one.number : 'none'))).toEqual(['7', 'none', 'none']);
  });
});

describe('a resumed snapshot', () => {
  const record = fc.record(
    {
      id: fc.constantFrom<JsonValue>(1, 2, '1', '01', 'group1', 'group2', 'x', null),
      name: fc.constantFrom('A', 'B', ' '),
      parent_id: fc.constantFrom(0, 1),
    },
    { requiredKeys: ['id'] },
  );
  const pages = fc.array(fc.array(record, { maxLength: 4 }), { maxLength: 5 });

  test('ends as one that was not interrupted', () => {
    fc.assert(
      fc.property(pages, fc.nat(5), (list, cut) => {
        const transform = openTransform(transformPlanOf(crm));
        const before = transform.begin();
        const ids: string[] = [];
        const memory: string[] = [];
        const resumed = list.slice(0, cut).flatMap((records) => {
          const page = before.prepare(records, place);
          ids.push(...page.prepared.flatMap((one) => (one.outcome === 'ready' ? [one.id] : [])));
          memory.push(...page.memory);
          return page.prepared;
        });
        const after = transform.begin({ ids, memory });
        resumed.push(...list.slice(cut).flatMap((records) => after.prepare(records, place).prepared));
        expect(outcomes(resumed)).toEqual(outcomes(prepareAll(crm, ...list)));
      }),
    );
  });

  test('refuses a memory that is not from here', () => {
    expect(() => openTransform(transformPlanOf(crm)).begin({ ids: [], memory: ['["what"]'] })).toThrow(TypeError);
  });
});

describe('whatever the source sends', () => {
  const anything = fc.oneof(
    fc.jsonValue({ maxDepth: 4 }),
    fc.record({ id: fc.jsonValue({ maxDepth: 1 }), name: fc.jsonValue({ maxDepth: 1 }), parent_id: fc.jsonValue() }),
    fc.record({ id: fc.bigInt().map((integer) => integer as JsonValue), name: fc.string() }),
  );

  test.each([
    ['mapped by role', qingyiyun],
    ['mapped by request', crm],
  ])('every record ends in exactly one outcome, in order, and nothing is thrown (%s)', (_, integration) => {
    fc.assert(
      fc.property(
        fc.array(fc.array(anything as fc.Arbitrary<JsonValue>, { maxLength: 6 }), { maxLength: 4 }),
        (list) => {
          const snapshot = openTransform(transformPlanOf(integration)).begin();
          for (const records of list) {
            const { prepared } = snapshot.prepare(records, place);
            expect(prepared).toHaveLength(records.length);
            for (const one of prepared) {
              expect(one.id).not.toBe('');
              if (one.outcome !== 'ready') expect(one.reason).not.toBe('');
            }
          }
        },
      ),
    );
  });

  test('the records are left as they were', () => {
    const records: JsonValue[] = [{ id: 1, name: ' A ', inner: { text: ' B ' } }];
    const before = stringifyJson(records);
    prepareAll(crm, records);
    expect(stringifyJson(records)).toBe(before);
  });

  test('no two records are ready under one id, nor under one id of the target', () => {
    const ids = fc.constantFrom<JsonValue>(0, '0', '00', 1, '1', '01', 'group1', 'group01', ' 1', 2, 'group2');
    const list = fc.array(fc.array(fc.record({ id: ids, name: fc.constantFrom('A', 'B', 'C') }), { maxLength: 6 }));
    const integration = crmWith({ 'transform.duplicates': [] });
    fc.assert(
      fc.property(list, (pages) => {
        const ready = prepareAll(integration, ...pages).filter(({ outcome }) => outcome === 'ready');
        expect(new Set(ready.map(({ id }) => id)).size).toBe(ready.length);
        const targetIds = bodies(ready).map((body) => (body as { group_id: number }).group_id);
        expect(new Set(targetIds).size).toBe(ready.length);
      }),
    );
  });
});
