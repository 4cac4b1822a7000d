import * as z from 'zod/mini';
import { profileSchema } from '../../lib/integration/fill/profile.ts';
import { integrationSchema } from '../../lib/integration/schema/schema.ts';

/** Where the published schema is kept, from the root of the project. */
export const schemaFile = 'docs/integration.schema.json';

/** Text of the JSON Schema (draft 7, which editors know best) of an integration file, made from the run-time check. */
export const integrationJsonSchema = (): string => {
  const { $schema, ...schema } = z.toJSONSchema(integrationSchema, {
    io: 'input',
    target: 'draft-07',
    // What an export may hold is any JSON.
    unrepresentable: 'any',
    override: ({ path, jsonSchema }) => {
      const block = /^properties\.(source|target)\.properties\.metadata$/.exec(path.join('.'))?.[1];
      if (block === undefined) return;
      // source.id stands in for a block that was exported without one.
      jsonSchema.required = (jsonSchema.required ?? []).filter((key) => key !== 'id');
      // Whatever need not be there may be written as empty.
      for (const [key, property] of Object.entries(jsonSchema.properties ?? {})) {
        if (jsonSchema.required.includes(key) || typeof property !== 'object') continue;
        Object.assign(jsonSchema.properties ?? {}, { [key]: { anyOf: [property, { enum: [null, '', [], {}] }] } });
      }
    },
  });
  return `${JSON.stringify({ $schema, title: 'Integration file', ...schema }, null, 2)}\n`;
};

/** Where the published schema of profiles is kept. */
export const profileSchemaFile = 'docs/profile.schema.json';

/** Text of the JSON Schema (draft 7) of an adapter profile, made from the run-time check. */
export const profileJsonSchema = (): string => {
  const { $schema, ...schema } = z.toJSONSchema(profileSchema, {
    io: 'input',
    target: 'draft-07',
    // Blocks that are laid under an integration's own are objects of any form: the integration's check has the word.
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      if (zodSchema._zod.def.type === 'custom') jsonSchema.type = 'object';
    },
  });
  return `${JSON.stringify({ $schema, title: 'Adapter profile', ...schema }, null, 2)}\n`;
};
