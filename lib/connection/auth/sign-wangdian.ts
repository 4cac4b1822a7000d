import { createHash } from 'node:crypto';

const counted = (text: string, digits: number): string => `${String([...text].length).padStart(digits, '0')}-${text}`;

/**
 * The signature of 旺店通企业版: MD5 over sorted pairs, each name and value behind the number of its characters, and the
 * secret at the end. Rule and vector: https://open.wangdian.cn/open/guide?path=guide_signsf. Pure.
 */
export const wangdianSign = (sorted: readonly (readonly [name: string, value: string])[], secret: string): string => {
  const pairs = sorted.map(([name, value]) => `${counted(name, 2)}:${counted(value, 4)}`);
  return createHash('md5')
    .update(`${pairs.join(';')}${secret}`)
    .digest('hex');
};
