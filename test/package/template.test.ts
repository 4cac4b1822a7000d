import { RegoEngine, TemplateFile } from '@aws/cloudformation-validate';
import { expect, inject, test } from 'vitest';
import { readTemplate, templateFile } from './template.ts';

const packagedDir = inject('packagedDir');
const template = await readTemplate(packagedDir);

test("AWS's own validator finds no fault in it", () => {
  const engine = new RegoEngine();
  try {
    const { diagnostics } = engine.validateStandard(new TemplateFile(templateFile(packagedDir)));
    // W3030, a value outside its enumeration, comes as a warning, though a deployment would fail on it.
    const faults = diagnostics.filter(
      ({ severity, ruleId }) => ['FATAL', 'ERROR'].includes(severity) || ruleId === 'W3030',
    );
    expect(faults.map(({ ruleId, message }) => `${ruleId}: ${message}`)).toEqual([]);
  } finally {
    engine.free();
  }
});

test('it deploys in every partition: no ARN, domain or account is written out', () => {
  const text = JSON.stringify(template.Resources);
  expect(text).not.toMatch(/arn:aws(-cn|-us-gov)?:/);
  expect(text).not.toMatch(/amazonaws\.com\.cn|[a-z]\.amazonaws\.com\//);
  expect(text).not.toMatch(/:\d{12}:/);
});

test('every address that a stage did not set is one that never resolves (RFC 2606)', () => {
  const urls = JSON.stringify(template.Resources).match(/https?:\/\/[^"\\]+/g) ?? [];
  expect(urls.length).toBeGreaterThan(0);
  for (const url of urls) expect(new URL(url).hostname).toMatch(/\.invalid$/);
});
