const { readdirSync, readFileSync } = require('node:fs');
const path = require('node:path');
const esbuild = require('esbuild');

const serviceDir = path.join(__dirname, '..');
const integrationsDir = path.join(serviceDir, 'integrations');

/**
 * What deployment needs of the integration files: `{ file, name, content }` in the order of their names. Throws for a
 * file that is not JSON or that cannot name a resource; all other faults are found by `okki-sync validate`.
 */
exports.readIntegrationFiles = () =>
  readdirSync(integrationsDir)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => {
      const name = path.basename(file, '.json');
      if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name)) {
        throw new Error(`integrations/${file}: expected a name of small letters, digits and single hyphens`);
      }
      try {
        return { file, name, content: JSON.parse(readFileSync(path.join(integrationsDir, file), 'utf8')) };
      } catch (error) {
        throw new Error(`integrations/${file}: ${error.message}`, { cause: error });
      }
    });

/**
 * The integrations as a cold start takes them from the package, with what their profiles say filled in. Throws an error
 * with the code `configuration` and the faults of all files.
 */
exports.packIntegrations = async () => {
  // The service's own check, bundled first: whoever packages need not run TypeScript.
  const { outputFiles } = await esbuild.build({
    entryPoints: [path.join(serviceDir, 'lib', 'integration', 'pack.ts')],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
  });
  const code = Buffer.from(outputFiles[0].contents).toString('base64');
  const { packIntegrations } = await import(`data:text/javascript;base64,${code}`);
  return packIntegrations(path.relative(process.cwd(), integrationsDir));
};

/** The integrations of `packIntegrations`, or none where a file has faults: the bundles are refused for those. */
exports.readFilledIntegrations = async () => {
  try {
    return JSON.parse((await exports.packIntegrations()).integrationsJson);
  } catch (error) {
    if (error.code !== 'configuration') throw error;
    return [];
  }
};
