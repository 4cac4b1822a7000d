import type { AuditEntry, AuditLog } from '../../lib/stores/stores.ts';

/** The audit log in memory. */
export const memoryAuditLog = (): AuditLog => {
  const entries: AuditEntry[] = [];
  return {
    add: async (entry) => {
      entries.push(structuredClone(entry));
    },
    list: async (integration, id) =>
      structuredClone(
        entries
          .filter((entry) => entry.integration === integration && (id === undefined || entry.id === id))
          .sort((a, b) => a.atMs - b.atMs),
      ),
  };
};
