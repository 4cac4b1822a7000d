import type { RecordMessage } from '../../lib/messages/record-message.ts';

export const NOW_MS = Date.UTC(2026, 0, 5);

/** A record message; its hash is its content in one letter. */
export const recordMessage = (changes: Partial<RecordMessage> = {}): RecordMessage => ({
  v: 1,
  integration: 'groups',
  runId: 'groups-20260105T000000Z',
  id: '1',
  hash: 'A',
  versionMs: NOW_MS,
  body: { id: changes.id ?? '1', name: changes.hash ?? 'A' },
  attempts: 0,
  deferrals: 0,
  firstSentMs: NOW_MS,
  ...changes,
});
