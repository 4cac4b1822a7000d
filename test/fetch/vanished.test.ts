import { describe, expect, it } from 'vitest';
import { concludeVanished } from '../../lib/fetch/vanished.ts';

const post = { action: 'post', maxShare: 0.2 } as const;

describe('ids that were loaded before and are absent', () => {
  it('are reported, and deleted only where the file says so', () => {
    expect(concludeVanished(3, 10, [], { action: 'report', maxShare: 0.2 })).toMatchObject({
      vanished: 3,
      deletes: false,
      warnings: [],
    });
    expect(concludeVanished(2, 10, [], post)).toMatchObject({ vanished: 2, deletes: true, warnings: [] });
  });

  it('are not deleted where their share exceeds the guard', () => {
    const { vanished, deletes, warnings } = concludeVanished(3, 10, [], post);
    expect([vanished, deletes, warnings.map(({ code }) => code)]).toEqual([3, false, ['vanished-guard']]);
  });

  it.each(['total-changed', 'total-mismatch', 'pages-overlap'])(
    'say nothing where the snapshot is in doubt: %s',
    (code) => {
      const { vanished, deletes, warnings } = concludeVanished(1, 10, [{ code, count: 1, message: '' }], post);
      expect([vanished, deletes, warnings.map((warning) => warning.code)]).toEqual([0, false, ['vanished-unclear']]);
    },
  );

  it('are no matter where there are none', () => {
    expect(concludeVanished(0, 0, [{ code: 'total-changed', count: 1, message: '' }], post)).toEqual({
      vanished: 0,
      deletes: false,
      warnings: [],
    });
  });
});
