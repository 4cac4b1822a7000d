import { describe, expect, it, test } from 'vitest';
import type { Address } from '../../lib/connection/api/connection.ts';
import {
  type Belonging,
  belongingOf,
  decideEnd,
  type Ends,
  forgottenEnds,
  metBy,
  noEnds,
  renamedEnds,
  type TargetMark,
  takenOverEnds,
  watermarkName,
} from '../../lib/runs/ends.ts';

const at = (id: string): Address => ({ id, origin: `https://${id}.example` });
const [a, b, c] = [at('a'), at('b'), at('c')];
const sandbox = { id: 'sandbox', origin: 'the sandbox' };
const source = at('s');
const of = (target: Address, changes: Partial<Ends> = {}): Ends => ({
  rev: 1,
  generation: 0,
  source,
  target,
  ...changes,
});

describe('addresses that a run meets', () => {
  it('are taken where none was known, and cost no write where nothing is new', () => {
    const taken = metBy(noEnds(), { source, target: a });
    expect(taken).toEqual({ rev: 1, generation: 0, source, target: a });
    expect(metBy(taken, { source, target: a })).toBe(taken);
  });

  it('leave the stored one as it is where they are others, and are kept for whoever decides', () => {
    const met = metBy(of(a), { source, target: b });
    expect(met).toEqual(of(a, { rev: 2, met: { target: b } }));
    expect(metBy(met, { source, target: b })).toBe(met);
    expect(metBy(met, { source, target: a })).toEqual(of(a, { rev: 3 }));
  });

  it('are taken for the stored ones where they are not known here', () => {
    const ends = of(a);
    expect(metBy(ends, {})).toBe(ends);
  });
});

describe("a person's word on the target", () => {
  it('same: the state is kept, and what was of the address before is of the new one', () => {
    const decided = decideEnd(of(a, { met: { target: b, source: c } }), 'target', 'same', b, 5);
    expect(decided).toMatchObject({ kind: 'decided', from: a, to: b });
    expect(decided.kind === 'decided' && decided.ends).toEqual(
      of(a, { rev: 2, target: { ...b, formerly: ['a'] }, met: { source: c } }),
    );
  });

  it('same, twice: what was of either address before is of the present one', () => {
    const first = decideEnd(of(a), 'target', 'same', b, 5);
    const second = first.kind === 'decided' ? decideEnd(first.ends, 'target', 'same', c, 6) : first;
    const ends = second.kind === 'decided' ? second.ends : noEnds();
    expect(ends.target).toEqual({ ...c, formerly: ['a', 'b'] });
    for (const target of ['a', 'b', 'c']) expect(belongingOf({ target }, ends, c), target).toBe('ours');
  });

  it('new: another generation, in one write', () => {
    const decided = decideEnd(of(a, { generation: 3, met: { target: b } }), 'target', 'new', b, 5);
    expect(decided.kind === 'decided' && decided.ends).toEqual(of(b, { rev: 2, generation: 4 }));
  });

  it('said where only a run can tell is about the address that a run has met', () => {
    expect(decideEnd(of(a, { met: { target: b } }), 'target', 'same', undefined, 5)).toMatchObject({ to: b });
    expect(decideEnd(of(a), 'target', 'same', undefined, 5)).toEqual({ kind: 'nothing-moved', at: a });
  });

  it.each([
    { ends: of(sandbox), now: a },
    { ends: of(a), now: sandbox },
    { ends: renamedEnds(of(a), 'new-name'), now: a },
  ])(
    'same: never between the sandbox and a real system, nor where the state has gone to another name',
    ({ ends, now }) => {
      expect(decideEnd(ends, 'target', 'same', now, 5).kind).toBe('only-new');
      expect(decideEnd(ends, 'target', 'new', now, 5).kind).toBe('decided');
    },
  );

  it('said twice changes nothing the second time', () => {
    for (const verdict of ['same', 'new'] as const) {
      const decided = decideEnd(of(a), 'target', verdict, b, 5);
      expect(decided.kind === 'decided' && decideEnd(decided.ends, 'target', verdict, b, 6)).toEqual({
        kind: 'nothing-moved',
        at: decided.kind === 'decided' ? decided.ends.target : undefined,
      });
    }
  });
});

test("a person's word on the source leaves the state: `new` says since when another source is read", () => {
  const same = decideEnd(of(a, { sourceSinceMs: 1 }), 'source', 'same', b, 5);
  expect(same.kind === 'decided' && same.ends).toMatchObject({ generation: 0, sourceSinceMs: 1, source: { id: 'b' } });
  const anew = decideEnd(of(a), 'source', 'new', b, 5);
  expect(anew.kind === 'decided' && anew.ends).toMatchObject({ generation: 0, sourceSinceMs: 5, source: b, target: a });
});

test('a watermark is of one state, and in the time of one source', () => {
  expect(watermarkName({ integration: 'groups' })).toBe('groups');
  const names = [{ generation: 1 }, { generation: 2 }, { sourceSinceMs: 5 }, { generation: 1, sourceSinceMs: 5 }];
  expect(new Set(names.map((name) => watermarkName({ integration: 'groups', ...name }))).size).toBe(4);
});

describe('whose a message is', () => {
  const moved = of(b, { target: { ...b, formerly: ['a'] } });
  const rows: [string, TargetMark, Ends, Address | undefined, Belonging][] = [
    ['of this target', { target: 'a' }, of(a), a, 'ours'],
    ['of an earlier version, while its state is the present one', {}, of(a), a, 'ours'],
    ['of an earlier version, once its state was replaced', {}, of(b, { generation: 1 }), b, 'replaced'],
    ['of state without an address', { target: 'a' }, noEnds(), a, 'ours'],
    ['of another target, nobody has decided', { target: 'a' }, of(a), b, 'undecided'],
    [
      'of another target, by what a run has met',
      { target: 'a' },
      of(a, { met: { target: b } }),
      undefined,
      'undecided',
    ],
    ['of the address before, after `same`', { target: 'a' }, moved, b, 'ours'],
    ['after `same`, in a worker that is not there yet', { target: 'a' }, moved, a, 'undecided'],
    ['of the state before, after `new`', { target: 'a' }, of(b, { generation: 1 }), b, 'replaced'],
    ['the same, in a worker that is not there yet', { target: 'a' }, of(b, { generation: 1 }), a, 'replaced'],
    [
      'the same, where the target is the first one again',
      { target: 'a', generation: 1 },
      of(a, { generation: 2 }),
      a,
      'replaced',
    ],
    ['of a target that nobody knows', { target: 'x' }, of(a), a, 'undecided'],
    ['of a newer state than is stored: it was restored', { target: 'a', generation: 1 }, of(a), a, 'undecided'],
    ['of what was forgotten', { target: 'a' }, forgottenEnds(of(a)), a, 'replaced'],
  ];
  it.each(rows)('%s', (_, mark, ends, now, whose) => {
    expect(belongingOf(mark, ends, now)).toBe(whose);
  });
});

describe('a name that an integration has left', () => {
  it('has no message of before that is still to be sent', () => {
    const left = renamedEnds(of(a, { generation: 2 }), 'new-name');
    expect(belongingOf({ target: 'a', generation: 2 }, left, a)).toBe('replaced');
  });

  it('can be taken again: in a state that it has not used yet', () => {
    const left = renamedEnds(of(a, { rev: 3 }), 'new-name');
    const back = takenOverEnds(of(b, { met: { target: c } }), left);
    expect(back).toEqual({ rev: 5, generation: 1, source, target: b });
  });
});
