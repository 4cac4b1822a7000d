import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { checkFiles } from '../../lib/operate/check-files.ts';

const file = 'integrations/okki-product-groups-to-crm.json';
const text = readFileSync(file, 'utf8');

test('files are checked each for itself, and the faults of all are told at once', () => {
  const checked = checkFiles([
    { file: 'a.json', content: '{' },
    { file, content: text },
    { file: 'b.json', content: text.replace('"schedule"', '"schedul"') },
  ]);
  expect(checked.files).toEqual(['a.json', file, 'b.json']);
  expect(new Set(checked.faults.map((fault) => fault.file))).toEqual(new Set(['a.json', 'b.json']));
  expect(new Set(checked.keys.map((key) => key.file))).toContain(file);
  expect(checked.byFile.map((one) => one.faults.length > 0)).toEqual([true, false, true]);
  expect(checked.byFile.flatMap(({ faults }) => faults)).toEqual(checked.faults);
  expect(checked.byFile.flatMap(({ warnings }) => warnings)).toEqual(checked.warnings);
});
