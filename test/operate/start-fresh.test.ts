import { expect, test } from 'vitest';
import { letterFor, writeLetter } from '../../lib/messages/dead-letter.ts';
import { writeMessage } from '../../lib/messages/record-message.ts';
import { forgottenByFresh, startFresh } from '../../lib/operate/start-fresh.ts';
import { recordMessage } from '../load/message.ts';
import { groups, loaded, operateWorld, troubled } from './operate-world.ts';

const failure = { cause: 'status', status: 422, atMs: 1 };
const of = (integration: string, id: string) => recordMessage({ integration, id });
const letter = (reason: 'rejected' | 'uncertain', integration: string, id: string) => ({
  body: writeLetter(letterFor(reason, of(integration, id), failure)),
});
const signature = { by: 'li@desk', why: '--fresh' };

/** Its name begins with that of the integration that is forgotten. */
const longer = `${groups.name}-2`;

const world = async () => {
  const stores = operateWorld();
  await stores.knows(loaded('1'), loaded('2'), troubled('3', 'rejected'));
  const { name } = groups;
  await stores.deadLetters.sendAll([
    letter('rejected', name, '3'),
    letter('uncertain', name, '4'),
    letter('rejected', 'others', '5'),
    letter('rejected', longer, '8'),
  ]);
  await stores.records.sendAll(
    [of(name, '6'), of('others', '7'), of(longer, '9')].map((message) => ({ body: writeMessage(message) })),
  );
  const forgotten: string[] = [];
  const forget = async (integration: string) => {
    forgotten.push(integration);
  };
  return { ...stores, forget, forgotten };
};

test('what a fresh start would forget is counted, of this integration alone, and stays', async () => {
  const stores = await world();
  expect(await forgottenByFresh(groups.name, stores)).toEqual({ loaded: 2, letters: 2 });
  expect(stores.deadLetters.bodies()).toHaveLength(4);
  expect(stores.forgotten).toEqual([]);
});

test('a fresh start leaves what is queued or waits for others; its own letters are in the audit log', async () => {
  const stores = await world();
  await startFresh(groups.name, signature, stores);
  expect(stores.forgotten).toEqual([groups.name]);
  expect(stores.records.bodies()).toEqual([of('others', '7'), of(longer, '9')].map(writeMessage));
  expect(stores.deadLetters.bodies()).toEqual(
    ['others', longer].map((name, place) => letter('rejected', name, place === 0 ? '5' : '8').body),
  );
  expect(await stores.audit.list(groups.name)).toMatchObject([
    { action: 'discarded', id: '3', ...signature },
    { action: 'discarded', id: '4', ...signature },
  ]);
});
