import type { IdCheck, IdStore, WriteCondition } from '../../lib/idcheck/item.ts';

export interface MemoryIdStore extends IdStore {
  /** Everything stored for an integration, by id. */
  items(integration: string): IdCheck[];
}

/** Whether what is stored is in the state that a write asks for. */
export const holds = (condition: WriteCondition, stored: IdCheck | undefined): boolean => {
  if ('absent' in condition) return stored === undefined;
  if ('rev' in condition) return stored?.rev === condition.rev;
  return stored?.claim?.owner === condition.owner;
};

/** idCheck in memory; scans give pages of `pageSize`. */
export const memoryIdStore = (pageSize = 100): MemoryIdStore => {
  const stored = new Map<string, Map<string, IdCheck>>();
  const itemsOf = (integration: string) => {
    const items = stored.get(integration) ?? new Map<string, IdCheck>();
    stored.set(integration, items);
    return items;
  };
  // Copies in and copies out: a caller that changes its object must not change what is stored.
  const list = (integration: string) => structuredClone([...itemsOf(integration).values()]);
  return {
    items: (integration) => list(integration).sort((a, b) => (a.id < b.id ? -1 : 1)),
    read: async (integration, ids) => {
      const items = itemsOf(integration);
      const found = new Map<string, IdCheck>();
      for (const id of ids) {
        const item = items.get(id);
        if (item) found.set(id, structuredClone(item));
      }
      return found;
    },
    write: async (integration, item, condition) => {
      const items = itemsOf(integration);
      if (!holds(condition, items.get(item.id))) return 'conflict';
      items.set(item.id, structuredClone(item));
      return 'written';
    },
    async *scan(integration) {
      const items = list(integration);
      for (let start = 0; start < items.length; start += pageSize) yield items.slice(start, start + pageSize);
    },
  };
};
