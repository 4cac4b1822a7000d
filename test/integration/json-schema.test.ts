import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { integrationJsonSchema, schemaFile } from '../../local/schema/integration-json-schema.ts';

test('the published JSON Schema is the one that the run-time check makes (node local/schema/write-schema.ts)', () => {
  expect(readFileSync(join(import.meta.dirname, '../..', schemaFile), 'utf8')).toBe(integrationJsonSchema());
});

test('it refuses unknown keys in our blocks, keeps those of metadata, and asks for no defaults', () => {
  const { properties, required, additionalProperties } = JSON.parse(integrationJsonSchema());
  expect(additionalProperties).toBe(false);
  expect(properties.source.properties.metadata.additionalProperties).toEqual({});
  expect(required).toEqual(['name', 'title', 'schedule', 'source', 'target']);
});
