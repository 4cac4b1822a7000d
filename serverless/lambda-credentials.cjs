/**
 * An esbuild plugin: the functions' AWS clients take their credentials from the environment, where Lambda puts those of
 * the function's role (Lambda developer guide, "Defined runtime environment variables"). The chain of profiles, SSO,
 * processes and metadata services behind that is for people's machines: it makes a fifth of an archive.
 */
exports.lambdaCredentials = {
  name: 'lambda-credentials',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]@aws-sdk[\\/]credential-provider-node[\\/]dist-es[\\/]index\.js$/ }, () => ({
      contents: `export { fromEnv as defaultProvider } from '@aws-sdk/credential-provider-env';`,
      loader: 'js',
    }));
  },
};
