import type { IdCheck, IdStore, Loaded, WriteCondition } from '../../../lib/idcheck/item.ts';
import type { Bug } from '../bug.ts';
import { periodsMs } from '../settings.ts';
import { contended, editing, failing } from './harsher.ts';

/** Writes over whatever is there, as a write without a condition does. */
const writeAnyway = async (store: IdStore, integration: string, item: IdCheck): Promise<'written' | 'conflict'> => {
  const stored = (await store.read(integration, [item.id])).get(item.id);
  return store.write(integration, item, stored === undefined ? { absent: true } : { rev: stored.rev });
};

/** A store that changes what is written, or on which condition. */
const writing =
  (
    change: (item: IdCheck, condition: WriteCondition) => [IdCheck, WriteCondition | 'any'],
  ): NonNullable<Bug['idStore']> =>
  (store) => ({
    ...store,
    write: (integration, item, condition) => {
      const [changed, asked] = change(item, condition);
      return asked === 'any' ? writeAnyway(store, integration, changed) : store.write(integration, changed, asked);
    },
  });

/** A store that changes what is read by id. */
const reading =
  (change: (item: IdCheck) => IdCheck | undefined): NonNullable<Bug['idStore']> =>
  (store) => ({
    ...store,
    read: async (integration, ids) => {
      const found = new Map<string, IdCheck>();
      for (const [id, item] of await store.read(integration, ids)) {
        const seen = change(item);
        if (seen) found.set(id, seen);
      }
      return found;
    },
  });

const unversioned = ({ loaded, claim, trouble, ...rest }: IdCheck): IdCheck => ({
  ...rest,
  ...(loaded && { loaded: { ...loaded, versionMs: 0 } }),
  ...(claim && { claim: { ...claim, versionMs: 0 } }),
  ...(trouble && { trouble: { ...trouble, versionMs: 0 } }),
});

const refusals = { groups: 6, edits: 20, runs: 12, periodMs: periodsMs.short };

/** Bugs in what is written to idCheck, or read of it. */
export const idCheckBugs: readonly Bug[] = [
  {
    name: 'settle-without-owner',
    summary: 'a worker settles although its claim is another’s by now',
    seeds: 300,
    harsher: contended,
    idStore: writing((item, condition) => [item, 'owner' in condition ? 'any' : condition]),
  },
  {
    name: 'refusal-without-owner',
    summary: 'a refusal is written down although the claim is another’s by now',
    seeds: 200,
    harsher: (settings) => failing(editing(settings, refusals), { stall: 0.1, deliveredTwice: 0.5, target: 0.6 }),
    idStore: writing((item, condition) => [
      item,
      'owner' in condition && item.trouble?.kind === 'rejected' ? 'any' : condition,
    ]),
  },
  {
    name: 'claim-without-condition',
    summary: 'a claim is written whatever is stored',
    seeds: 300,
    harsher: contended,
    idStore: writing((item, condition) => [item, 'owner' in condition ? condition : 'any']),
  },
  {
    name: 'claim-in-seconds',
    summary: 'the claim’s life in seconds is read as milliseconds',
    seeds: 300,
    harsher: contended,
    idStore: writing((item, condition) => {
      const { claim } = item;
      if (claim === undefined) return [item, condition];
      const untilMs = claim.sinceMs + (claim.untilMs - claim.sinceMs) / 1000;
      return [{ ...item, claim: { ...claim, untilMs } }, condition];
    }),
  },
  {
    name: 'doubt-forgotten',
    summary: 'other content is sent while a POST of unknown outcome may still be applied',
    seeds: 500,
    where: ({ policy }) => !policy.idCheck,
    harsher: (settings) => {
      const pressed = editing(settings, { groups: 2, edits: 20, runs: 20, periodMs: periodsMs.shortest });
      return { ...pressed, rates: { ...settings.rates, target: 0.8, deliveredTwice: 0.3 } };
    },
    idStore: writing(({ doubt: _, ...item }, condition) => [item, condition]),
  },
  {
    name: 'unsure-forgotten',
    summary: 'what was loaded counts as loaded after a POST of unknown outcome came to nothing',
    seeds: 500,
    where: ({ targetKind }) => targetKind === 'conflicts',
    harsher: (settings) =>
      failing(editing(settings, { groups: 1, edits: 6, runs: 6, periodMs: periodsMs.long }), { target: 0.6 }),
    idStore: writing(({ loaded, ...item }, condition) => {
      const { unsureSinceMs: _, ...sure } = loaded ?? {};
      return [loaded === undefined ? item : { ...item, loaded: sure as Loaded }, condition];
    }),
  },
  {
    name: 'version-ignored',
    summary: 'older content is taken for a change',
    seeds: 300,
    harsher: (settings) => {
      const pressed = editing(settings, { groups: 2, edits: 16, runs: 4, periodMs: periodsMs.short });
      return failing(pressed, { deliveredTwice: 0.5, target: 0.5 });
    },
    idStore: (store, ...world) => {
      // What is read is seen without its version, and written back with it.
      const read = new Map<string, IdCheck>();
      const seen = reading((item) => {
        read.set(item.id, item);
        return unversioned(item);
      })(store, ...world);
      return {
        ...seen,
        write: (integration, item, condition) => {
          const before = read.get(item.id);
          const loaded = before?.loaded;
          const versioned = loaded !== undefined && loaded.atMs === item.loaded?.atMs ? { ...item, loaded } : item;
          return store.write(integration, versioned, condition);
        },
      };
    },
  },
  {
    name: 'reads-cached-across-runs',
    summary: 'an environment remembers what it read of idCheck',
    seeds: 100,
    // A parent that is remembered as not loaded is waited for through a whole day: such a world takes too long.
    where: ({ tree }) => tree === 'none',
    idStore: (store) => {
      const cache = new Map<string, IdCheck | undefined>();
      const pages: IdCheck[][] = [];
      return {
        ...store,
        read: async (integration, ids) => {
          const missing = ids.filter((id) => !cache.has(id));
          const read = missing.length === 0 ? new Map() : await store.read(integration, missing);
          for (const id of missing) cache.set(id, read.get(id));
          return new Map(ids.flatMap((id) => (cache.get(id) ? [[id, cache.get(id) as IdCheck]] : [])));
        },
        async *scan(integration) {
          if (pages.length === 0) for await (const page of store.scan(integration)) pages.push(page);
          yield* pages;
        },
      };
    },
  },
  {
    name: 'fails-open',
    summary: 'what idCheck does not answer counts as unknown, and is sent',
    seeds: 100,
    idStore: (store): IdStore => ({
      ...store,
      read: (integration, ids) => store.read(integration, ids).catch(() => new Map()),
      write: (integration, item, condition) => store.write(integration, item, condition).catch(() => 'written'),
    }),
  },
  {
    name: 'idcheck-ignored',
    summary: 'a loaded id is overwritten although the integration says idCheck',
    seeds: 100,
    loadPolicy: (policy) => ({ ...policy, idCheck: false }),
    fetchPolicy: (policy) => ({ ...policy, idCheck: false }),
  },
];
