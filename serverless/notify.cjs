const { addedPolicy, secretStatements } = require('./policies.cjs');

/** The parameters of a stage that may point at a secret of the notification's robot. */
const params = ['notifyWebhookUrl', 'notifySecret'];

/** The functions that end runs or find a target down, and so tell of it. */
const roles = ['Fetch', 'Load', 'Reconcile'];

/** Leave for these to read the robot's secrets, where the stage has a robot. Off by default: then there is none. */
module.exports = async ({ resolveVariable }) => {
  const values = await Promise.all(params.map((name) => resolveVariable(`param:${name}`)));
  const statements = secretStatements(values.flatMap(secretAt));
  if (statements.length === 0) return { Resources: {} };
  const policies = roles.map((role) => [
    `${role}NotifySecretsPolicy`,
    addedPolicy(`${role}Role`, 'notify-secrets', statements),
  ]);
  return { Resources: Object.fromEntries(policies) };
};

/** Where a variable says that a secret lies (lib/connection/secrets.ts): `ssm:NAME` or `secretsmanager:NAME#KEY`. */
function secretAt(value) {
  const [, store, name] = /^(ssm|secretsmanager):([^#]+)/.exec(String(value)) ?? [];
  if (name === undefined) return [];
  return [store === 'ssm' ? { ssm: name } : { secretsManager: name }];
}
