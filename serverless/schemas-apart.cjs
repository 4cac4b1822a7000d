const { readFileSync } = require('node:fs');
const path = require('node:path');

const libDir = path.join(__dirname, '..', 'lib');
const schemaDir = path.join(libDir, 'integration', 'schema') + path.sep;
const connectionDir = path.join(libDir, 'connection') + path.sep;

/**
 * An esbuild plugin: the check of integration files gets a copy of lib/connection of its own. There a schema stands in
 * one file with what runs by it, and esbuild puts a file as a whole into one chunk: without the copy, every cold start
 * would read schemas that only the check needs. Of each copy only what is used is kept.
 */
exports.schemasApart = {
  name: 'schemas-apart',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^\.\.?\/.*\.ts$/ }, ({ path: imported, importer, kind, resolveDir, pluginData }) => {
      const file = path.join(resolveDir, imported);
      const isForCheck = importer.startsWith(schemaDir) || pluginData?.isForCheck === true;
      // What is imported dynamically has a file of its own already.
      if (!isForCheck || kind === 'dynamic-import' || !file.startsWith(connectionDir)) return undefined;
      return { path: file, suffix: '?check', pluginData: { isForCheck } };
    });
    onLoad({ filter: /[\\/]lib[\\/]connection[\\/].*\.ts$/ }, ({ path: file, suffix, pluginData }) =>
      suffix === '?check'
        ? { contents: readFileSync(file), loader: 'ts', resolveDir: path.dirname(file), pluginData }
        : undefined,
    );
  },
};
