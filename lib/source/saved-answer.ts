import type { SourcePlan } from '../integration/compile/source-plan.ts';
import { readAnswer } from './answer.ts';
import type { Source } from './source.ts';

/**
 * A source that is one saved answer, read as an answer from the network would be. Nothing is requested. A record that
 * it lacks has not vanished: the answer may be the first page of many, so its end counts as unsure.
 */
export const savedAnswer = (text: string, { answer }: SourcePlan): Source => ({
  readPage: async () => {
    const read = readAnswer(text.replace(/^\uFEFF/, ''), {}, answer);
    const shared = { requests: 0, warnings: [] };
    if (read.kind === 'fault') return { ...shared, kind: 'failed', code: read.code, message: read.message };
    const { records, total } = read.page;
    const spoken = total === undefined ? '' : ` of the ${total} that it speaks of`;
    const message = `a saved answer with ${records.length} records${spoken}: what it lacks may be on another page`;
    const warnings = [{ code: 'total-mismatch', count: 1, message }];
    return { ...shared, kind: 'page', records, warnings };
  },
});
