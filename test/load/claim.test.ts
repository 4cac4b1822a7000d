import { describe, expect, it } from 'vitest';
import type { LoadPolicy } from '../../lib/idcheck/decide.ts';
import type { Claim, IdCheck, IdStore } from '../../lib/idcheck/item.ts';
import { askOf, claimId } from '../../lib/load/claim.ts';
import { memoryIdStore } from '../fakes/memory-id-store.ts';
import { recordMessage } from './message.ts';

const policy: LoadPolicy = { idCheck: false, onUncertain: 'resend' };
const ask = { hash: 'A', versionMs: 2, refresh: false };
const NOW_MS = 1_000;
const claimFor = { owner: 'me', claimMs: 25_000, tries: 4, nowMs: () => NOW_MS };
const mine: Claim = { owner: 'me', hash: 'A', versionMs: 2, sinceMs: NOW_MS, untilMs: NOW_MS + 25_000 };

const claim = (store: IdStore, read: IdCheck | undefined) => claimId(store, 'groups', '1', read, ask, policy, claimFor);

describe('claiming an id', () => {
  it('writes the claim with its owner, its content and its end', async () => {
    const store = memoryIdStore();
    expect(await claim(store, undefined)).toEqual({ kind: 'claimed', item: { id: '1', rev: 1, claim: mine } });
    expect(store.items('groups')).toEqual([{ id: '1', rev: 1, claim: mine }]);
  });

  it('keeps a newer version under which its content is known already', async () => {
    const store = memoryIdStore();
    const trouble = { kind: 'exhausted', hash: 'A', versionMs: 5, sinceMs: 1, reason: 'status 500' } as const;
    await store.write('groups', { id: '1', rev: 1, trouble }, { absent: true });
    expect(await claim(store, { id: '1', rev: 1, trouble })).toMatchObject({ item: { claim: { versionMs: 5 } } });
  });

  it('writes nothing where the table says something else', async () => {
    const store = memoryIdStore();
    const loaded: IdCheck = { id: '1', rev: 4, loaded: { hash: 'A', versionMs: 1, atMs: 1 } };
    expect(await claim(store, loaded)).toEqual({
      kind: 'decided',
      decision: { kind: 'acknowledge', as: 'already-loaded' },
      stored: loaded,
    });
    expect(store.items('groups')).toEqual([]);
  });

  it('decides again on what it reads after a lost race', async () => {
    const store = memoryIdStore();
    const others = { id: '1', rev: 1, claim: { ...mine, owner: 'other' } };
    await store.write('groups', others, { absent: true });
    expect(await claim(store, undefined)).toEqual({
      kind: 'decided',
      decision: { kind: 'putOff', untilMs: mine.untilMs, why: 'claimed' },
      stored: others,
    });
  });

  it('claims in the second round what is still to be claimed', async () => {
    const store = memoryIdStore();
    await store.write('groups', { id: '1', rev: 7 }, { absent: true });
    expect(await claim(store, undefined)).toMatchObject({ kind: 'claimed', item: { rev: 8, claim: mine } });
  });

  it.each(['throws', 'says conflict'])(
    'knows its own claim where the write was applied but the answer %s',
    async (end) => {
      const store = memoryIdStore();
      const lossy: IdStore = {
        ...store,
        write: async (...args) => {
          await store.write(...args);
          if (end === 'throws') throw new Error('answer lost');
          return 'conflict';
        },
      };
      expect(await claim(lossy, undefined)).toEqual({ kind: 'claimed', item: { id: '1', rev: 1, claim: mine } });
    },
  );

  it('throws when the item cannot be read after a failed write', async () => {
    const down: IdStore = {
      ...memoryIdStore(),
      write: () => Promise.reject(new Error('down')),
      read: () => Promise.reject(new Error('down')),
    };
    await expect(claim(down, undefined)).rejects.toThrow('down');
  });

  it('throws what the writes fail with, and takes no failure for a claim of another', async () => {
    const denied = new Error('is not authorized to perform: dynamodb:PutItem');
    await expect(claim({ ...memoryIdStore(), write: () => Promise.reject(denied) }, undefined)).rejects.toBe(denied);
  });

  it('goes on after a write that failed once', async () => {
    const store = memoryIdStore();
    let writes = 0;
    const write: IdStore['write'] = (...args) =>
      ++writes === 1 ? Promise.reject(new Error('down')) : store.write(...args);
    expect(await claim({ ...store, write }, undefined)).toMatchObject({ kind: 'claimed', item: { claim: mine } });
  });

  it('puts the message off after four lost rounds', async () => {
    let writes = 0;
    const restless: IdStore = {
      ...memoryIdStore(),
      write: async () => {
        writes += 1;
        return 'conflict';
      },
    };
    expect(await claim(restless, undefined)).toMatchObject({
      kind: 'decided',
      decision: { kind: 'putOff', untilMs: NOW_MS, why: 'claimed' },
    });
    expect(writes).toBe(4);
  });
});

it('a message asks with its content, its version, and what a person wants of it', () => {
  const plain = { hash: 'A', versionMs: 7, refresh: false };
  expect(askOf(recordMessage({ versionMs: 7 }))).toStrictEqual(plain);
  expect(askOf(recordMessage({ versionMs: 7, refresh: true, replayedMs: 0 }))).toStrictEqual({
    ...plain,
    refresh: true,
    replayedMs: 0,
  });
});
