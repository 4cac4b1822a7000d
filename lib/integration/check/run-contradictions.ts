import { isJsonObject, type JsonValue } from '../../json/json.ts';
import { readPath } from '../../json/path.ts';
import { parseTemplate, slotsOf } from '../dialect/template.ts';
import { leafFields } from './request-fields.ts';
import type { Finding } from './shape.ts';

/** Whether the list is asked for what changed since the last run. */
const asksForChanges = (raw: JsonValue): boolean =>
  ['request', 'otherRequest'].some((key) =>
    leafFields(readPath(raw, `source.metadata.${key}`)).some(({ field }) => {
      const template = parseTemplate(field.value ?? null);
      // A template that is refused asks for changes all the same: its own fault is enough.
      if (template.kind === 'unsupported') return String(field.value).includes('LAST_SYNC_TIME');
      return slotsOf(template).some(({ name }) => name === 'LAST_SYNC_TIME');
    }),
  );

/** Without its window a time would have no beginning; without the time a window would be no window. */
const windowRule = (raw: JsonValue): Finding[] => {
  const window = readPath(raw, 'source.window');
  const asks = asksForChanges(raw);
  if (asks && window === undefined) {
    const expected = '{"initial": "2020-01-01 00:00:00"} or the like: {{LAST_SYNC_TIME}} needs a beginning';
    return [{ kind: 'fault', path: ['source', 'window'], expected }];
  }
  return window !== undefined && !asks
    ? [{ kind: 'fault', path: ['source', 'window'], expected: 'nothing, since no request value is {{LAST_SYNC_TIME}}' }]
    : [];
};

const vanishedRule = (raw: JsonValue): Finding[] => {
  const vanished = readPath(raw, 'vanished');
  if (!isJsonObject(vanished)) return [];
  const place = (key: string) => ['vanished', key];
  const { action, path } = vanished;
  if (action !== 'post') {
    return path === undefined
      ? []
      : [{ kind: 'fault', path: place('path'), expected: 'nothing, unless action is "post"' }];
  }
  if (asksForChanges(raw)) {
    const expected = '"report": a list of changes does not show what vanished';
    return [{ kind: 'fault', path: place('action'), expected }];
  }
  return path === undefined
    ? [{ kind: 'fault', path: place('path'), expected: 'the path of the deletion endpoint, since action is "post"' }]
    : [];
};

/** What the settings of runs say against one another, whatever the form of the file. */
export const runRules: readonly ((raw: JsonValue) => Finding[])[] = [windowRule, vanishedRule];
