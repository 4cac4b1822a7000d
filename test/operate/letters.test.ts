import { describe, expect, test } from 'vitest';
import type { IdCheck } from '../../lib/idcheck/item.ts';
import { letterFor, writeLetter } from '../../lib/messages/dead-letter.ts';
import { countByReason, lettersOf, waitingLetters } from '../../lib/operate/letters.ts';
import { recordMessage } from '../load/message.ts';
import { groups, loaded, operateWorld, troubled } from './operate-world.ts';

const letter = (id: string, lastMs: number, reason: 'rejected' | 'uncertain' | 'exhausted' = 'rejected') => ({
  body: writeLetter(
    letterFor(reason, recordMessage({ integration: groups.name, id }), { cause: 'status', status: 422, atMs: lastMs }),
  ),
});

test('letters are counted by reason, in the documented order', () => {
  const reasons = ['crashed', 'rejected', 'uncertain', 'rejected'] as const;
  expect([...countByReason(reasons.map((reason) => ({ reason })))]).toEqual([
    ['rejected', 2],
    ['uncertain', 1],
    ['crashed', 1],
  ]);
});

test('letters are listed oldest first, and stay', async () => {
  const world = operateWorld();
  await world.deadLetters.sendAll([letter('late', 200), letter('early', 100), letter('other', 150, 'uncertain')]);
  const all = await waitingLetters({}, world);
  expect(all.letters.map(({ id }) => id)).toEqual(['early', 'other', 'late']);
  expect(all.letters[0]).not.toHaveProperty('handle');
  expect([...all.byReason]).toEqual([
    ['rejected', 2],
    ['uncertain', 1],
  ]);
  await world.clock.advance(2_000);
  expect((await waitingLetters({ reason: 'uncertain' }, world)).letters.map(({ id }) => id)).toEqual(['other']);
});

test.each<[string, IdCheck | undefined, boolean]>([
  ['has loaded its content', loaded('1'), true],
  ['has loaded other content', loaded('1', 'B'), false],
  ['knows nothing of its record', undefined, false],
  ['knows that it was refused', troubled('1', 'rejected'), false],
  ['has loaded it before it got into trouble', { ...loaded('1'), ...troubled('1', 'rejected') }, false],
])('a letter says that it is loaded since only where idCheck %s: %j', async (_, item, loadedSince) => {
  const world = operateWorld();
  if (item !== undefined) await world.knows(item);
  await world.deadLetters.sendAll([letter('1', 100)]);
  const { letters } = await waitingLetters({}, world);
  expect(letters.map((one) => 'loadedSince' in one)).toEqual([loadedSince]);
});

describe('one letter', () => {
  test('is shown with what idCheck knows of its record', async () => {
    const world = operateWorld();
    await world.knows(troubled('1', 'rejected'));
    await world.deadLetters.sendAll([letter('1', 100), letter('2', 100)]);
    expect(await lettersOf('1', groups.name, world)).toMatchObject([
      { letter: { id: '1', reason: 'rejected' }, item: { trouble: { kind: 'rejected' } } },
    ]);
    await world.clock.advance(2_000);
    expect(await lettersOf('1', 'another', world)).toEqual([]);
  });

  test('that nobody can read is shown by its message id', async () => {
    const world = operateWorld();
    await world.deadLetters.sendAll([{ body: 'not JSON' }]);
    const shown = await lettersOf('message-1', undefined, world);
    expect(shown).toMatchObject([{ letter: { reason: 'unreadable', body: 'not JSON' } }]);
    expect(shown[0]).not.toHaveProperty('item');
  });
});
