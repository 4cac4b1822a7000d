import * as z from 'zod/mini';
import { integrationSchema } from '../../lib/integration/schema.ts';

/** Where the published schema is kept, from the root of the project. */
export const schemaFile = 'docs/integration.schema.json';

/** Text of the JSON Schema (draft 7, which editors know best) of an integration file, made from the run-time check. */
export const integrationJsonSchema = (): string => {
  const { $schema, ...schema } = z.toJSONSchema(integrationSchema, { io: 'input', target: 'draft-07' });
  return `${JSON.stringify({ $schema, title: 'Integration file', ...schema }, null, 2)}\n`;
};
