const { packagedIntegrations } = require('./packaged-integrations.cjs');

/** What custom.esbuild in serverless.yml bundles with. */
module.exports = [packagedIntegrations];
