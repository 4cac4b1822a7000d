import { describe, expect, it } from 'vitest';
import { compare, MAX_MESSAGE_BYTES, type Ready, type RunFacts } from '../../lib/fetch/compare.ts';
import { openTaking } from '../../lib/fetch/taking.ts';
import type { LoadPolicy } from '../../lib/idcheck/decide.ts';
import { type Known, readKnown } from '../../lib/idcheck/known.ts';
import { readMessage } from '../../lib/messages/record-message.ts';
import { nothingSentBefore } from '../../lib/runs/sent-before.ts';
import { memoryIdStore } from '../fakes/memory-id-store.ts';

const policy: LoadPolicy = { idCheck: true, onUncertain: 'resend' };
const run: RunFacts = {
  integration: 'groups',
  runId: 'run-1',
  versionMs: 7,
  fullRefresh: false,
  connection: 'crm',
};
const ready = (id: string, name = 'A'): Ready => ({ outcome: 'ready', id, hash: name, body: { id, name } });
const compared = (record: Ready, known: Known, changes: Partial<RunFacts> = {}) =>
  compare(record, known, policy, { ...run, ...changes }, 9, openTaking({ adopts: false }), nothingSentBefore);

const knownWith = async (...ids: string[]) => {
  const store = memoryIdStore();
  for (const id of ids) {
    await store.write('groups', { id, rev: 1, loaded: { hash: 'A', versionMs: 1, atMs: 1 } }, { absent: true });
  }
  return readKnown(store, 'groups');
};

describe('a prepared record', () => {
  it('that is new becomes a message, with the run it is of', async () => {
    const { entry, toLoad } = compared({ ...ready('0'), number: 'G-1' }, await knownWith());
    expect([entry, toLoad?.as]).toEqual([{ id: '0', outcome: 'enqueued', hash: 'A' }, 'create']);
    expect(readMessage(toLoad?.message ?? '')).toEqual({
      kind: 'message',
      message: {
        v: 1,
        integration: 'groups',
        runId: 'run-1',
        id: '0',
        number: 'G-1',
        hash: 'A',
        versionMs: 7,
        body: { id: '0', name: 'A' },
        attempts: 0,
        deferrals: 0,
        firstSentMs: 9,
        connection: 'crm',
      },
    });
  });

  it('says in a full refresh that it is one', async () => {
    const { toLoad } = compared(ready('0'), await knownWith(), { fullRefresh: true });
    expect(readMessage(toLoad?.message ?? '')).toMatchObject({ message: { refresh: true } });
  });

  it('that is loaded already causes no message', async () => {
    const known = await knownWith('0', '1');
    expect(compared(ready('0'), known)).toEqual({ entry: { id: '0', outcome: 'unchanged' } });
    const reason = 'duplicate: changed, but the id is loaded already';
    expect(compared(ready('1', 'B'), known)).toEqual({ entry: { id: '1', outcome: 'skipped', reason, hash: 'B' } });
    expect([...known.vanished()]).toEqual([]);
  });

  it('below a refused parent names it in a field of its entry', async () => {
    const store = memoryIdStore();
    const trouble = { kind: 'rejected', hash: 'A', versionMs: 1, sinceMs: 1, reason: 'status 422' } as const;
    await store.write('groups', { id: '7', rev: 1, trouble }, { absent: true });
    const known = await readKnown(store, 'groups');
    const reason = 'parent 7 was rejected';
    expect(compared({ ...ready('0'), parentId: '7' }, known)).toEqual({
      entry: { id: '0', outcome: 'skipped', reason, hash: 'A', parentId: '7' },
    });
    expect(compared(ready('7'), known).entry).not.toHaveProperty('parentId');
  });

  it('that is too large for the queue is invalid, and one just below is not', async () => {
    const known = await knownWith();
    const bytesBeside = Buffer.byteLength(compared(ready('1', ''), known).toLoad?.message ?? '');
    const sized = (sizeBytes: number): Ready => ({
      outcome: 'ready',
      id: '1',
      hash: '',
      body: { id: '1', name: 'é'.repeat(Math.floor(sizeBytes / 2)) + 'x'.repeat(sizeBytes % 2) },
    });
    const fits = compared(sized(MAX_MESSAGE_BYTES - bytesBeside), known);
    expect(Buffer.byteLength(fits.toLoad?.message ?? '')).toBe(MAX_MESSAGE_BYTES);
    const tooLarge = compared(sized(MAX_MESSAGE_BYTES - bytesBeside + 1), known);
    const reason = `too large for the queue: ${MAX_MESSAGE_BYTES + 1} bytes, ${MAX_MESSAGE_BYTES} at most`;
    expect(tooLarge).toEqual({ entry: { id: '1', outcome: 'invalid', reason } });
  });
});
