const { readdirSync, readFileSync } = require('node:fs');
const path = require('node:path');

const integrationsDir = path.join(__dirname, '..', 'integrations');

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
