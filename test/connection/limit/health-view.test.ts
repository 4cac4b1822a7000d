import { expect, test } from 'vitest';
import { type ConnectionHealth, healthView, healthy } from '../../../lib/connection/limit/health.ts';
import { hastyClock } from '../../fakes/fake-clock.ts';
import { memoryHealthStore } from '../../fakes/memory-health-store.ts';
import { seededRandom } from '../../fakes/seeded-random.ts';

const viewers = (count: number) => {
  const clock = hastyClock();
  const store = memoryHealthStore();
  const views = Array.from({ length: count }, (_, seed) => healthView(store, { clock, random: seededRandom(seed) }));
  return { clock, store, views };
};

const counted = (health: ConnectionHealth): ConnectionHealth => ({
  ...health,
  unclear: { groups: (health.unclear.groups ?? 0) + 1 },
});

test('no change is lost, however many workers make theirs at once', async () => {
  const { store, views } = viewers(8);
  await Promise.all(views.map((view) => view.change('crm', counted)));
  expect((await store.read('crm')).health.unclear).toEqual({ groups: 8 });
});

test("a worker sees its own change at once, another's within a second", async () => {
  const { clock, views } = viewers(2);
  const [one, two] = views;
  expect(await two?.look('crm')).toEqual(healthy);
  await one?.change('crm', counted);
  expect(await one?.look('crm')).toEqual(counted(healthy));
  expect(await two?.look('crm')).toEqual(healthy);
  clock.advance(1_000);
  expect(await two?.look('crm')).toEqual(counted(healthy));
});

test('successes are remembered for as long as they count, and are told once', () => {
  const { clock, views } = viewers(1);
  const [view] = views;
  view?.noteWell('crm', 'groups', 3);
  clock.advance(200_000);
  view?.noteWell('crm', 'groups', 4);
  clock.advance(200_000);
  expect(view?.takeWell('crm', 'other', 300_000)).toBe(0);
  expect(view?.takeWell('crm', 'groups', 300_000)).toBe(4);
  expect(view?.takeWell('crm', 'groups', 300_000)).toBe(0);
});
