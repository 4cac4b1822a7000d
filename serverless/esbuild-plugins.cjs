const { chunkNames } = require('./chunk-names.cjs');
const { packagedIntegrations } = require('./packaged-integrations.cjs');

/** What custom.esbuild in serverless.yml bundles with. */
module.exports = [chunkNames, packagedIntegrations];
