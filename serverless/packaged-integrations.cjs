const path = require('node:path');

const serviceDir = path.join(__dirname, '..');
const packFile = path.join(serviceDir, 'lib', 'integration', 'pack.ts');

/** The service's own check of integration files, bundled first: whoever packages need not run TypeScript. */
const readCheck = async (esbuild) => {
  const { outputFiles } = await esbuild.build({
    entryPoints: [packFile],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
  });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`);
};

/**
 * An esbuild plugin: checks the integration files, and hands what they came to to lib/integration/packaged.ts, so that a
 * cold start need not check them. A file with faults fails the packaging, with all of them.
 */
exports.packagedIntegrations = {
  name: 'packaged-integrations',
  setup({ esbuild, onLoad }) {
    onLoad({ filter: /[\\/]lib[\\/]integration[\\/]packaged\.ts$/ }, async () => {
      const { packIntegrations } = await readCheck(esbuild);
      try {
        const packaged = packIntegrations(path.relative(process.cwd(), path.join(serviceDir, 'integrations')));
        return { contents: `export const packaged = ${JSON.stringify(packaged)};`, loader: 'js' };
      } catch (error) {
        if (error.code !== 'configuration') throw error;
        return { errors: error.message.split('\n').map((text) => ({ text })) };
      }
    });
  },
};
