const path = require('node:path');

/**
 * An esbuild plugin: names the chunks of a bundle after its function, `load.ssm-parameter-K3Y….mjs` beside `load.mjs`.
 *
 * serverless-esbuild builds all functions into one folder, and leaves out of an archive what is named like the bundle of
 * another function, with a dot behind. esbuild itself has no word for the entry point in the names of chunks.
 */
exports.chunkNames = {
  name: 'chunk-names',
  setup({ initialOptions }) {
    const [entry] = initialOptions.entryPoints;
    initialOptions.chunkNames = `${path.basename(entry, path.extname(entry))}.[name]-[hash]`;
  },
};
