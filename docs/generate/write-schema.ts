// Writes the JSON Schemas of integration files and profiles, and the tables of the documentation that follow from the
// code: node docs/generate/write-schema.ts
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generatedParts } from './generated-parts.ts';
import { integrationJsonSchema, profileJsonSchema, profileSchemaFile, schemaFile } from './integration-json-schema.ts';

const root = join(import.meta.dirname, '../..');
writeFileSync(join(root, schemaFile), integrationJsonSchema());
writeFileSync(join(root, profileSchemaFile), profileJsonSchema());
for (const { file, update } of generatedParts) {
  const path = join(root, file);
  writeFileSync(path, update(readFileSync(path, 'utf8')));
}
