import { beforeEach, describe, expect, test } from 'vitest';
import type { AuditEntry, AuditLog } from '../../lib/stores/stores.ts';

const entry = (changes: Partial<AuditEntry> = {}): AuditEntry => ({
  atMs: Date.UTC(2026, 0, 5),
  action: 'discarded',
  integration: 'groups',
  id: '1',
  reason: 'rejected',
  by: 'li@desk',
  why: '源数据已废弃',
  ...changes,
});

/** What every audit log keeps to. `create` gives an empty one. */
export const auditLogContract = (create: () => Promise<AuditLog> | AuditLog) => {
  describe('as an audit log', () => {
    let log: AuditLog;
    beforeEach(async () => {
      log = await create();
    });

    test('gives back what was added, oldest first', async () => {
      const later = entry({ atMs: Date.UTC(2026, 0, 6), id: '2', action: 'resolved-loaded', reason: 'uncertain' });
      await log.add(later);
      await log.add(entry());
      expect(await log.list('groups')).toEqual([entry(), later]);
    });

    test('gives back the entries of one id', async () => {
      await log.add(entry());
      await log.add(entry({ id: '2' }));
      expect(await log.list('groups', '2')).toEqual([entry({ id: '2' })]);
    });

    test('keeps integrations apart, and letters without one', async () => {
      const { integration: _, ...unreadable } = entry({ id: 'message-1', reason: 'unreadable' });
      await log.add(unreadable);
      await log.add(entry());
      expect(await log.list('others')).toEqual([]);
      expect(await log.list(undefined)).toEqual([unreadable]);
      expect(await log.list('groups')).toEqual([entry()]);
    });

    test('keeps two entries of one millisecond', async () => {
      await log.add(entry({ id: '1' }));
      await log.add(entry({ id: '2' }));
      expect((await log.list('groups')).map(({ id }) => id).sort()).toEqual(['1', '2']);
    });
  });
};
