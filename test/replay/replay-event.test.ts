import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReplayEventError, readReplayEvent } from '../../lib/replay/replay.ts';

describe('an event of functions/replay', () => {
  it('is read as it is', () => {
    const sample = readFileSync(join(import.meta.dirname, '../../events/replay.json'), 'utf8');
    expect(readReplayEvent(JSON.parse(sample))).toMatchObject({ reason: 'rejected', limit: 100, dryRun: false });
    expect(readReplayEvent({ kind: 'replay' })).toEqual({ kind: 'replay' });
    const least = { kind: 'replay', limit: 1, ratePerSec: Number.MIN_VALUE, lastBeforeMs: 0, id: '' } as const;
    expect(readReplayEvent(least)).toEqual(least);
  });

  it.each([
    [{}, 'wrong kind'],
    [null, 'wrong '],
    [{ kind: 'replay', reasons: ['rejected'] }, 'unknown reasons'],
    [{ kind: 'replay', ID: '1', Limit: 3 }, 'unknown ID, Limit'],
    [{ kind: 'replay', reason: 'refused' }, 'wrong reason'],
    [{ kind: 'replay', id: 7 }, 'wrong id'],
    [{ kind: 'replay', limit: 0 }, 'wrong limit'],
    [{ kind: 'replay', limit: 1.5 }, 'wrong limit'],
    [{ kind: 'replay', ratePerSec: 0 }, 'wrong ratePerSec'],
    [{ kind: 'replay', dryRun: 'yes' }, 'wrong dryRun'],
    [{ kind: 'replay', dryRun: undefined }, 'wrong dryRun'],
  ])('%j is refused: %s', (event, why) => {
    expect(() => readReplayEvent(event)).toThrow(ReplayEventError);
    expect(() => readReplayEvent(event)).toThrow(`not a replay event: ${why}`);
  });

  it('names the reasons that there are', () => {
    expect(() => readReplayEvent({})).toThrow('reasons are rejected, uncertain, exhausted, unreadable, crashed');
  });

  it('is read, or refused with ReplayEventError, whatever it is; a misspelt filter never means everything', () => {
    const nearly = fc.dictionary(
      fc.oneof(fc.constantFrom('kind', 'reason', 'id', 'limit', 'integration', 'dryRun', 'force'), fc.string()),
      fc.oneof(fc.constantFrom('replay', 'rejected', 1, true), fc.jsonValue()),
    );
    fc.assert(
      fc.property(
        fc.oneof(
          nearly.map((event) => ({ kind: 'replay', ...event })),
          nearly,
          fc.anything(),
        ),
        (event) => {
          try {
            expect(readReplayEvent(event)).toEqual(event);
          } catch (error) {
            expect(error).toBeInstanceOf(ReplayEventError);
          }
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
