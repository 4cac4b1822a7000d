const { packIntegrations } = require('./integration-files.cjs');

/**
 * An esbuild plugin: checks the integration files, and hands what they came to to lib/integration/packaged.ts, so that a
 * cold start need not check them. A file with faults fails the packaging, with all of them.
 */
exports.packagedIntegrations = {
  name: 'packaged-integrations',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]lib[\\/]integration[\\/]packaged\.ts$/ }, async () => {
      try {
        return { contents: `export const packaged = ${JSON.stringify(await packIntegrations())};`, loader: 'js' };
      } catch (error) {
        if (error.code !== 'configuration') throw error;
        return { errors: error.message.split('\n').map((text) => ({ text })) };
      }
    });
  },
};
