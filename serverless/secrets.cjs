const { readFilledIntegrations } = require('./integration-files.cjs');
const { secretPolicies } = require('./policies.cjs');

/** Which function reads the secrets of which side of an integration. */
const readers = [
  { side: 'source', id: 'FetchSecretsPolicy', role: 'FetchRole' },
  { side: 'target', id: 'LoadSecretsPolicy', role: 'LoadRole' },
];

/**
 * Permission to read the secrets that integrations name themselves (`{"ssm": …}`, `{"secretsManager": …}`), in their
 * files or by their profiles: each of them, and for the one function that uses it. Those that come by way of the
 * environment are in roles.yml.
 */
module.exports = async () => {
  const integrations = await readFilledIntegrations();
  const resources = {};
  for (const { side, id, role } of readers) {
    const refs = integrations.flatMap(({ source, target }) => [
      ...secretRefs({ source, target }[side].connection),
      ...(side === 'source' ? secretRefs(namesOf(target.connection)) : []),
    ]);
    Object.assign(resources, secretPolicies(role, id, 'integration-secrets', refs));
  }
  return { Resources: resources };
};

/** What names the system behind a connection: fetch must know whose state it compares with (lib/connection/api/connection.ts). */
function namesOf({ baseUrl, account, auth }) {
  return [baseUrl, account ?? auth.clientId];
}

/** The references to secrets anywhere inside a connection, whatever its scheme. */
function secretRefs(value) {
  if (typeof value !== 'object' || value === null) return [];
  if (typeof value.ssm === 'string' || typeof value.secretsManager === 'string') return [value];
  return Object.values(value).flatMap(secretRefs);
}
