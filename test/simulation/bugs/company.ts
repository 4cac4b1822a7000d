import type { Rest } from '../../../lib/connection/limit/health.ts';
import { restsWithout } from '../../../lib/connection/limit/rest.ts';
import type { Bug } from '../bug.ts';
import { failing, unhurried } from './harsher.ts';

/** Bugs in what integrations have to do with each other. */
export const companyBugs: readonly Bug[] = [
  {
    name: 'believed-probe',
    summary: 'a probe’s answer counts for every target that rests, whosever it was',
    seeds: 300,
    company: true,
    harsher: (settings) => failing({ ...settings, troubledMs: 8 * settings.periodMs, tree: 'none' }, { target: 0.5 }),
    health: (store, world) => ({
      ...store,
      write: async (connection, health, rev) => {
        const hasEnded = restsWithout((await store.read(connection)).health, health).length > 0;
        for (const { integration } of hasEnded ? world.all : []) {
          const { name } = integration.target.connection;
          const other = await store.read(name);
          if (name !== connection && other.health.rests.length > 0)
            await store.write(name, { ...other.health, rests: [] }, other.rev);
        }
        return store.write(connection, health, rev);
      },
    }),
  },
  {
    name: 'state-of-another',
    summary: 'what is known of an id is looked up without the name of its integration',
    seeds: 20,
    company: true,
    idStore: (store, { settings }) => {
      const { name } = settings.integration;
      return {
        read: (_, ids) => store.read(name, ids),
        write: (_, item, condition) => store.write(name, item, condition),
        scan: () => store.scan(name),
      };
    },
  },
  {
    name: 'rests-with-another',
    summary: 'a target that rests holds the records of every integration',
    seeds: 200,
    company: true,
    harsher: (settings) => failing({ ...unhurried(settings), tree: 'none' }, {}),
    health: (store, world) => {
      const restingElsewhere = async (connection: string): Promise<Rest[]> => {
        const names = new Set(world.all.map(({ integration }) => integration.target.connection.name));
        const others = [...names].filter((name) => name !== connection);
        const rests = await Promise.all(others.map(async (name) => (await store.read(name)).health.rests));
        return rests.flat().map(({ probeAtMs: _, ...rest }) => rest);
      };
      return {
        read: async (connection) => {
          const { rev, health } = await store.read(connection);
          return { rev, health: { ...health, rests: [...health.rests, ...(await restingElsewhere(connection))] } };
        },
        write: async (connection, health, rev) => {
          const others = await restingElsewhere(connection);
          const rests = health.rests.filter(({ sinceMs }) => !others.some((other) => other.sinceMs === sinceMs));
          return store.write(connection, { ...health, rests }, rev);
        },
      };
    },
  },
];
