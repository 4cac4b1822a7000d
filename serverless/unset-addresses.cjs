/** Which function's environment holds the address of which side. */
const readers = { source: 'fetch', target: 'load' };

/** RFC 2606: a name under .invalid never resolves. The parameters of a stage have it until they are set. */
const isUnset = (address) =>
  typeof address === 'string' && /^https?:\/\/([^/:]+\.)?invalid\.?(?=[/:]|$)/i.test(address);

/**
 * The sides of an integration with a schedule that runs whose address is not set on this stage, in words; an address
 * that lies in a secret store is not looked at. Rule: a schedule must not send to nowhere, which uses up the attempts of
 * every record.
 */
exports.unsetAddresses = async ({ content }, resolveVariable) => {
  if (content.schedule === undefined || content.schedule?.enabled === false) return [];
  const sides = await Promise.all(
    Object.entries(readers).map(async ([side, functionName]) => {
      const baseUrl = content[side]?.connection?.baseUrl;
      const variable = baseUrl?.env;
      const address =
        typeof variable === 'string'
          ? await resolveVariable(`self:functions.${functionName}.environment.${variable}, ''`)
          : baseUrl;
      return isUnset(address) ? [`${side} ${variable === undefined ? '' : `(${variable}) `}is ${address}`] : [];
    }),
  );
  return sides.flat();
};
