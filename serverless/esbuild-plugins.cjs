const { chunkNames } = require('./chunk-names.cjs');
const { lambdaCredentials } = require('./lambda-credentials.cjs');
const { packagedIntegrations } = require('./packaged-integrations.cjs');
const { schemasApart } = require('./schemas-apart.cjs');

/** What custom.esbuild in serverless.yml bundles with. */
module.exports = [chunkNames, lambdaCredentials, packagedIntegrations, schemasApart];
