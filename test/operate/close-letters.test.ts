import { describe, expect, test } from 'vitest';
import { letterFor, writeLetter } from '../../lib/messages/dead-letter.ts';
import { discard, resolveIds, resolveRecords } from '../../lib/operate/close-letters.ts';
import { memoryAuditLog } from '../fakes/memory-audit-log.ts';
import { drops, loadWorld, refuses, takes } from '../load/load-world.ts';
import { recordMessage } from '../load/message.ts';

const signature = { by: 'li@desk', why: '源数据已废弃' };

/** Dead letters as the loader writes them: `refused` was refused, `lost` is parked. */
const world = async () => {
  const loading = loadWorld({ policy: { onUncertain: 'park' } });
  loading.answer = ([record]) => (record?.id === 'refused' ? refuses : record?.id === 'lost' ? drops(true) : takes);
  await loading.send(recordMessage({ id: 'refused' }), recordMessage({ id: 'lost' }), recordMessage({ id: 'fine' }));
  await loading.run();
  const { clock, deadLetters, idStore } = loading;
  const audit = memoryAuditLog();
  const deps = { deadLetters, idStore, audit, clock, runs: loading.deps.runs };
  const waiting = async () => {
    // What a pass left is shown again a second after it.
    await clock.advance(2_000);
    return (await loading.letters()).map(({ id }) => id).sort();
  };
  const item = (id: string) => idStore.items('groups').find((one) => one.id === id);
  return { ...loading, loading, audit, deps, waiting, item };
};

describe('discard', () => {
  test('deletes the letters that are meant, and writes who and why', async () => {
    const { deps, audit, waiting, clock } = await world();
    const { discarded } = await discard({ id: 'refused' }, signature, deps);
    expect(discarded).toMatchObject([{ id: 'refused', reason: 'rejected', integration: 'groups' }]);
    expect(await waiting()).toEqual(['lost']);
    expect(await audit.list('groups')).toMatchObject([{ action: 'discarded', id: 'refused', ...signature }]);
    expect((await audit.list('groups'))[0]?.atMs).toBeLessThanOrEqual(clock.nowMs());
  });

  test('lets a later failure of the same content write a letter again', async () => {
    const { deps, waiting, send, run, clock } = await world();
    await discard({ id: 'refused' }, signature, deps);
    await clock.advance(2_000);
    // Replayed on purpose from elsewhere, and refused again.
    await send(recordMessage({ id: 'refused', replayedMs: clock.nowMs() }));
    await run();
    expect(await waiting()).toEqual(['lost', 'refused']);
  });

  test('keeps what is known of the record: refused content is not sent again', async () => {
    const { deps, item, send, run, posts } = await world();
    await discard({ id: 'refused' }, signature, deps);
    expect(item('refused')?.trouble).toMatchObject({ kind: 'rejected' });
    expect(item('refused')?.trouble?.letterMs).toBeUndefined();
    const before = posts.length;
    await send(recordMessage({ id: 'refused' }));
    await run();
    expect(posts).toHaveLength(before);
  });

  test('touches one integration where one is named, and says which others have such letters; unnamed ones are anyone’s', async () => {
    const { deps, deadLetters, waiting } = await world();
    await deadLetters.sendAll([{ body: 'not JSON' }]);
    const result = await discard({ integration: 'others' }, signature, deps);
    expect(result).toMatchObject({ discarded: [{ reason: 'unreadable' }], others: ['groups'], mustBeResolved: [] });
    expect(await waiting()).toEqual(['lost', 'refused']);
  });

  test('leaves parked records to be resolved', async () => {
    const { deps, waiting, audit } = await world();
    const result = await discard({}, signature, deps);
    expect(result.mustBeResolved).toEqual(['lost']);
    expect(await waiting()).toEqual(['lost']);
    expect((await audit.list('groups')).map(({ id }) => id)).toEqual(['refused']);
  });

  test('on a dry run names the letters and leaves everything as it is', async () => {
    const { deps, waiting, audit, item } = await world();
    const { discarded } = await discard({ reason: 'rejected', dryRun: true }, signature, deps);
    expect(discarded.map(({ id }) => id)).toEqual(['refused']);
    expect(await waiting()).toEqual(['lost', 'refused']);
    expect(await audit.list('groups')).toEqual([]);
    expect(item('refused')?.trouble?.letterMs).toBeDefined();
  });

  test('takes a letter that nobody can read by its message id', async () => {
    const { deps, deadLetters, audit } = await world();
    await deadLetters.sendAll([{ body: 'not a letter' }]);
    const all = await discard({ reason: 'unreadable', dryRun: true }, signature, deps);
    const messageId = all.discarded[0]?.messageId ?? '';
    await deps.clock.advance(2_000);
    expect((await discard({ id: messageId }, signature, deps)).discarded).toHaveLength(1);
    expect(await audit.list(undefined)).toMatchObject([{ id: messageId, reason: 'unreadable' }]);
  });
});

describe('resolve', () => {
  test('loaded: the target has it, its letter is gone, and nothing is sent again', async () => {
    const { deps, waiting, item, audit, send, run, posts } = await world();
    const results = await resolveIds('groups', ['lost'], 'loaded', signature, deps);
    expect(results).toEqual([{ id: 'lost', kind: 'resolved', lettersDeleted: 1 }]);
    expect(item('lost')).toMatchObject({ loaded: { hash: 'A' } });
    expect(item('lost')?.trouble).toBeUndefined();
    expect(await waiting()).toEqual(['refused']);
    expect(await audit.list('groups', 'lost')).toMatchObject([{ action: 'resolved-loaded', ...signature }]);
    const before = posts.length;
    await send(recordMessage({ id: 'lost', versionMs: recordMessage().versionMs + 1 }));
    await run();
    expect(posts).toHaveLength(before);
  });

  test('not loaded: the next message of the record is sent', async () => {
    const { loading, deps, item, send, run, applied } = await world();
    await resolveIds('groups', ['lost'], 'not-loaded', signature, deps);
    expect(item('lost')?.trouble).toBeUndefined();
    loading.answer = () => takes;
    const before = applied('lost').length;
    await send(recordMessage({ id: 'lost', versionMs: recordMessage().versionMs + 1 }));
    await run();
    expect(applied('lost')).toHaveLength(before + 1);
    expect(item('lost')?.loaded).toBeDefined();
  });

  test('leaves the letter of content that the same record had refused, and those of others', async () => {
    const { deps, deadLetters, waiting } = await world();
    const failure = { cause: 'status', status: 422, atMs: recordMessage().versionMs };
    const refused = letterFor('rejected', recordMessage({ id: 'lost', hash: 'older' }), failure);
    const elsewhere = letterFor('uncertain', recordMessage({ id: 'lost', integration: 'others' }), failure);
    await deadLetters.sendAll([refused, elsewhere].map((letter) => ({ body: writeLetter(letter) })));
    expect(await resolveIds('groups', ['lost'], 'loaded', signature, deps)).toMatchObject([{ lettersDeleted: 1 }]);
    expect(await waiting()).toEqual(['lost', 'lost', 'refused']);
  });

  test('leaves alone what is not uncertain, and says why', async () => {
    const { deps, waiting, audit } = await world();
    expect(await resolveIds('groups', ['refused', 'fine', 'never seen'], 'loaded', signature, deps)).toEqual([
      { id: 'refused', kind: 'unresolvable', why: 'not-uncertain' },
      { id: 'fine', kind: 'unresolvable', why: 'not-uncertain' },
      { id: 'never seen', kind: 'unresolvable', why: 'unknown-id' },
    ]);
    expect(await waiting()).toEqual(['lost', 'refused']);
    expect(await audit.list('groups')).toEqual([]);
  });
});

describe('records that are resolved', () => {
  const uncertainIn = async (...integrations: string[]) => {
    const { deps } = await world();
    const trouble = { kind: 'parked', hash: 'A', versionMs: 1, sinceMs: 1, reason: 'reset' } as const;
    for (const name of integrations) await deps.idStore.write(name, { id: 'both', rev: 1, trouble }, { absent: true });
    return deps;
  };
  const names = ['groups', 'elsewhere'];

  test('are looked for in all integrations, and each says where it was', async () => {
    const deps = await uncertainIn('elsewhere');
    const ids = ['never seen', 'lost', 'refused', 'both'];
    expect(await resolveRecords(ids, names, 'loaded', signature, deps)).toEqual({
      kind: 'done',
      results: [
        { id: 'never seen', kind: 'unresolvable', why: 'unknown-id' },
        { id: 'refused', kind: 'unresolvable', why: 'not-uncertain' },
        { id: 'lost', kind: 'resolved', lettersDeleted: 1, integration: 'groups' },
        { id: 'both', kind: 'resolved', lettersDeleted: 0, integration: 'elsewhere' },
      ],
    });
  });

  test('are all left alone where one of them is uncertain in two', async () => {
    const deps = await uncertainIn('elsewhere', 'groups');
    expect(await resolveRecords(['lost', 'both'], names, 'loaded', signature, deps)).toEqual({
      kind: 'ambiguous',
      id: 'both',
      integrations: names,
    });
    expect(await deps.audit.list('groups')).toEqual([]);
  });
});
