import { leafFields } from '../integration/check/request-fields.ts';
import { parseTemplate, slotsOf } from '../integration/dialect/template.ts';
import type { Integration } from '../integration/schema/schema.ts';
import type { JsonValue } from '../json/json.ts';

/** The paths of a record that an integration takes: its id, its number and what the mapping reads. */
export const mappedPaths = ({ source, target }: Integration): ReadonlySet<string> => {
  const { id, number } = source.metadata;
  const { request = [] } = target.metadata;
  const byRole = request.length === 0 && target.metadata.name !== undefined ? ['name'] : [];
  const taken = leafFields(request as JsonValue).flatMap(({ field }) =>
    slotsOf(parseTemplate(field.value ?? null)).flatMap(({ of, name }) => (of === 'field' ? [name] : [])),
  );
  return new Set([id, ...(number === undefined ? [] : [number]), ...byRole, ...taken]);
};
