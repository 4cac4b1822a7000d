import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  integrationJsonSchema,
  profileJsonSchema,
  profileSchemaFile,
  schemaFile,
} from '../../docs/generate/integration-json-schema.ts';

test.each([
  [schemaFile, integrationJsonSchema],
  [profileSchemaFile, profileJsonSchema],
])('the published %s is the one that the run-time check makes (npm run schema)', (file, schema) => {
  expect(readFileSync(join(import.meta.dirname, '../..', file), 'utf8')).toBe(schema());
});

test('a pasted block needs no id: source.id may stand in for it', () => {
  const { properties } = JSON.parse(integrationJsonSchema());
  expect(properties.source.properties.metadata.required).toEqual(['api', 'method']);
});

test('it refuses unknown keys in our blocks, keeps those of metadata, and asks for no defaults', () => {
  const { properties, required, additionalProperties } = JSON.parse(integrationJsonSchema());
  expect(additionalProperties).toBe(false);
  expect(properties.source.properties.metadata.additionalProperties).toEqual({});
  expect(required).toEqual(['name', 'title', 'schedule', 'source', 'target']);
});
