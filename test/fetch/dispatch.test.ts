import { describe, expect, it } from 'vitest';
import { dispatch, MAX_MESSAGE_BYTES, type RunStamp } from '../../lib/fetch/dispatch.ts';
import type { LoadPolicy } from '../../lib/idcheck/decide.ts';
import { readKnown } from '../../lib/idcheck/known.ts';
import { readMessage } from '../../lib/messages/record-message.ts';
import type { Prepared } from '../../lib/transform/transform.ts';
import { memoryIdStore } from '../fakes/memory-id-store.ts';

const policy: LoadPolicy = { idCheck: true, onUncertain: 'resend' };
const stamp: RunStamp = { integration: 'groups', runId: 'run-1', versionMs: 7, nowMs: 9, fullRefresh: false };
const ready = (id: string, name = 'A'): Prepared => ({ outcome: 'ready', id, hash: name, body: { id, name } });

const knownWith = async (...ids: string[]) => {
  const store = memoryIdStore();
  for (const id of ids) {
    await store.write('groups', { id, rev: 1, loaded: { hash: 'A', versionMs: 1, atMs: 1 } }, { absent: true });
  }
  return readKnown(store, 'groups');
};

describe('a prepared record', () => {
  it('that is new becomes a message, with the run it is of', async () => {
    const { entry, body } = dispatch({ ...ready('0'), number: 'G-1' } as Prepared, await knownWith(), policy, stamp);
    expect(entry).toEqual({ id: '0', outcome: 'enqueued', hash: 'A' });
    expect(readMessage(body ?? '')).toEqual({
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
      },
    });
  });

  it('says in a full refresh that it is one', async () => {
    const { body } = dispatch(ready('0'), await knownWith(), policy, { ...stamp, fullRefresh: true });
    expect(readMessage(body ?? '')).toMatchObject({ message: { refresh: true } });
  });

  it('that is loaded already causes no message', async () => {
    const known = await knownWith('0', '1');
    expect(dispatch(ready('0'), known, policy, stamp)).toEqual({ entry: { id: '0', outcome: 'unchanged' } });
    expect(dispatch(ready('1', 'B'), known, policy, stamp)).toEqual({
      entry: {
        id: '1',
        outcome: 'skipped',
        reason: 'duplicate: changed, but the id is loaded already',
        hash: 'B',
      },
    });
  });

  it.each(['filtered', 'invalid', 'merged'] as const)(
    'that is %s keeps its reason, and has not vanished',
    async (outcome) => {
      const known = await knownWith('0');
      const prepared: Prepared = { outcome, id: '0', reason: 'name: is blank' };
      expect(dispatch(prepared, known, policy, stamp)).toEqual({
        entry: { id: '0', outcome, reason: 'name: is blank' },
      });
      expect([...known.vanished()]).toEqual([]);
    },
  );

  it('that is too large for the queue is invalid, and one just below is not', async () => {
    const known = await knownWith();
    const bytesBeside = Buffer.byteLength(dispatch(ready('1', ''), known, policy, stamp).body ?? '');
    const sized = (sizeBytes: number): Prepared => ({
      outcome: 'ready',
      id: '1',
      hash: '',
      body: { id: '1', name: 'é'.repeat(Math.floor(sizeBytes / 2)) + 'x'.repeat(sizeBytes % 2) },
    });
    const fits = dispatch(sized(MAX_MESSAGE_BYTES - bytesBeside), known, policy, stamp);
    expect(Buffer.byteLength(fits.body ?? '')).toBe(MAX_MESSAGE_BYTES);
    const tooLarge = dispatch(sized(MAX_MESSAGE_BYTES - bytesBeside + 1), known, policy, stamp);
    expect(tooLarge).toEqual({
      entry: {
        id: '1',
        outcome: 'invalid',
        reason: `too large for the queue: ${MAX_MESSAGE_BYTES + 1} bytes, ${MAX_MESSAGE_BYTES} at most`,
      },
    });
  });
});
