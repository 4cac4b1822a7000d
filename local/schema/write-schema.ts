// Writes the JSON Schema of integration files: node local/schema/write-schema.ts
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { integrationJsonSchema, schemaFile } from './integration-json-schema.ts';

writeFileSync(join(import.meta.dirname, '../..', schemaFile), integrationJsonSchema());
