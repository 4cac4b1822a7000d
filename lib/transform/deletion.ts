import type { Integration, MetadataField } from '../integration/schema/schema.ts';
import { setPath } from '../json/path.ts';
import { compileMapping, type Mapped } from './map.ts';

const isForId = ({ value }: MetadataField, idPath: string): boolean =>
  typeof value === 'string' && value.replace(/\s/g, '') === `{{${idPath}}}`;

/** The fields of a deletion's body: as configured, else the ones under which records carry their id. */
const fieldsOf = ({ source, target, vanished }: Integration): MetadataField[] => {
  const idPath = source.metadata.id;
  if (vanished.request !== undefined) return vanished.request;
  const carriers = (target.metadata.request ?? []).filter((field) => isForId(field, idPath));
  if (carriers.length > 0) return carriers;
  return [{ field: target.metadata.id ?? 'id', value: `{{${idPath}}}` }];
};

/**
 * Compiles the body of a deletion: the mapping of a record of which nothing is known but its id, by the same rules of
 * conversion as for records.
 */
export const compileDeletion = (integration: Integration): ((id: string) => Mapped) => {
  const { source, target } = integration;
  const metadata = { ...target.metadata, request: fieldsOf(integration) };
  const mapping = compileMapping({ ...integration, target: { ...target, metadata } });
  return (id) => mapping.map(setPath({}, source.metadata.id, id));
};
