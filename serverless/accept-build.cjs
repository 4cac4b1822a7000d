/**
 * Lets osls accept the top-level `build` key, which only Serverless Framework v4 knows and needs
 * (it has the key in its own schema, and then nothing is done here).
 */
module.exports = class AcceptBuild {
  constructor(serverless) {
    const { configSchemaHandler } = serverless;
    if (configSchemaHandler.schema.properties.build === undefined) {
      configSchemaHandler.defineTopLevelProperty('build', {
        type: 'object',
        properties: { esbuild: { const: false } },
        required: ['esbuild'],
        additionalProperties: false,
      });
    }
  }
};
