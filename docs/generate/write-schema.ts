// Writes the JSON Schemas of integration files and profiles, and the tables of the dialect's reference: node docs/generate/write-schema.ts
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dialectFiles, type Language, withTables } from './dialect-doc.ts';
import { integrationJsonSchema, profileJsonSchema, profileSchemaFile, schemaFile } from './integration-json-schema.ts';

const root = join(import.meta.dirname, '../..');
writeFileSync(join(root, schemaFile), integrationJsonSchema());
writeFileSync(join(root, profileSchemaFile), profileJsonSchema());
for (const [language, file] of Object.entries(dialectFiles) as [Language, string][]) {
  const path = join(root, file);
  writeFileSync(path, withTables(readFileSync(path, 'utf8'), language));
}
