import { expect, it } from 'vitest';
import { standardTuning } from '../../lib/runtime/tuning.ts';
import { fails, loadWorld, refuses, takes, throttles } from './load-world.ts';
import { NOW_MS, recordMessage } from './message.ts';

const { maxAgeMs } = standardTuning.load;
const old = { firstSentMs: NOW_MS - maxAgeMs - 1 };
const aged = ({ logged }: ReturnType<typeof loadWorld>) => logged.filter(({ event }) => event === 'aged');

const busy = () => {
  const world = loadWorld();
  world.answer = () => throttles(10_000);
  return world;
};

it('a message that would be put off once more after its age limit ends: no letter, and its record is open', async () => {
  const world = busy();
  await world.send(recordMessage(old));
  await world.deliver();
  expect(aged(world)).toEqual([{ event: 'aged', fields: expect.objectContaining({ id: '1', why: 'throttled' }) }]);
  expect([world.records.bodies(), world.deadLetters.bodies()]).toEqual([[], []]);
  expect(world.idStore.items('groups').every(({ claim, trouble, loaded }) => !claim && !trouble && !loaded)).toBe(true);

  // The next run sends it anew.
  world.answer = () => takes;
  await world.clock.advance(60_000);
  await world.send(recordMessage({ runId: 'groups-next', firstSentMs: world.clock.nowMs() }));
  await world.deliver();
  expect(world.applied('1')).toEqual(['A']);
});

it('one that can be loaded is loaded, however old it is', async () => {
  const world = loadWorld();
  await world.send(recordMessage(old));
  await world.deliver();
  expect([world.applied('1'), aged(world)]).toEqual([['A'], []]);
});

it.each([
  ['that is not that old yet', { firstSentMs: NOW_MS - maxAgeMs + 10_000 }],
  ['that was replayed, since no run would send it again', { ...old, replayedMs: NOW_MS - 1, replays: 1 }],
])('a message %s waits on', async (_, changes) => {
  const world = busy();
  await world.send(recordMessage(changes));
  await world.deliver();
  expect([aged(world), world.records.bodies().length]).toEqual([[], 1]);
});

it('a failure that counts is not ended by age, but by its attempts: it gets its letter', async () => {
  const world = loadWorld({ retry: { maxAttempts: 2 } });
  world.answer = () => fails;
  await world.send(recordMessage(old));
  await world.run(60_000);
  expect(aged(world)).toEqual([]);
  expect((await world.letters()).map(({ reason }) => reason)).toEqual(['exhausted']);
});

it('a message that needs its dead letter waits on until it has one', async () => {
  const world = loadWorld({ deps: { deadLetters: { sendAll: async () => ({ failed: [0] }) } } });
  world.answer = () => refuses;
  await world.send(recordMessage(old));
  await world.deliver();
  expect([aged(world), world.records.bodies().length]).toEqual([[], 1]);
});

it('a message whose integration cannot be opened ends by the same limit', async () => {
  const broken = async () => Promise.reject(new Error('no such variable'));
  const world = loadWorld({ deps: { open: broken } });
  await world.send(recordMessage(old), recordMessage({ id: '2' }));
  await world.deliver();
  expect(aged(world).map(({ fields }) => [fields.id, fields.why])).toEqual([['1', 'not-opened']]);
  expect(world.records.bodies()).toHaveLength(1);
});
