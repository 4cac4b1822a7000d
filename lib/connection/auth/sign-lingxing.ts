import { createCipheriv, createHash } from 'node:crypto';

/**
 * The signature of 领星: the upper MD5 over sorted `k=v&k=v`, encrypted by AES-128/ECB/PKCS5 whose key is the app id, in
 * Base64. The rule: https://apidoc.lingxing.com/#/docs/Guidance/newInstructions §4.1. Pure. Throws RangeError where the app
 * id has not 16 bytes.
 */
export const lingxingSign = (sorted: readonly (readonly [name: string, value: string])[], appId: string): string => {
  const text = sorted.map(([name, value]) => `${name}=${value}`).join('&');
  const digest = createHash('md5').update(text).digest('hex').toUpperCase();
  const cipher = createCipheriv('aes-128-ecb', appId, null);
  return cipher.update(digest, 'utf8', 'base64') + cipher.final('base64');
};
