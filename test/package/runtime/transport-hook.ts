import { registerHooks } from 'node:module';

// Loaded before Lambda's runtime client where its native transport is not built.
registerHooks({
  resolve: (specifier, context, next) =>
    specifier === './rapid-client.node'
      ? { url: new URL('./transport.ts', import.meta.url).href, format: 'module-typescript', shortCircuit: true }
      : next(specifier, context),
});
