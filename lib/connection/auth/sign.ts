import * as z from 'zod/mini';
import { refSchema } from '../secrets.ts';
import type { Reference } from './scheme.ts';

const carrierSchema = () => z.enum(['header', 'query', 'body']).check(z.describe('Where it goes. 位置。'));
const nameSchema = () => z.string().check(z.minLength(1), z.describe('Name of the parameter. 参数名。'));

const sharedKeys = () => ({
  secret: refSchema(),
  except: z._default(z.array(nameSchema()).check(z.describe('Names that are not signed. 不参与签名的参数名。')), []),
  timestamp: z.exactOptional(
    z
      .strictObject({
        name: nameSchema(),
        form: z
          .enum(['s', 'ms', 'datetime'])
          .check(z.describe('Unix seconds, milliseconds, or Beijing time "YYYY-MM-DD HH:MM:SS". 时间戳格式。')),
        in: z.exactOptional(carrierSchema()),
      })
      .check(z.describe('The time of the attempt, sent and signed. 时间戳参数。')),
  ),
  nonce: z.exactOptional(
    z
      .strictObject({
        name: nameSchema(),
        length: z._default(z.int().check(z.minimum(1), z.maximum(128), z.describe('Characters. 字符数。')), 16),
        in: z.exactOptional(carrierSchema()),
      })
      .check(z.describe('Letters and digits by chance, sent and signed. 随机串参数。')),
  ),
  use: z
    .strictObject({ in: carrierSchema(), name: nameSchema() })
    .check(z.describe('Where the signature goes. 签名的位置。')),
});

export const hashes = ['md5', 'sha1', 'sha256', 'hmac-md5', 'hmac-sha1', 'hmac-sha256'] as const;

const around = (description: string) => z._default(z.string().check(z.describe(description)), '');

const hashedSchema = () =>
  z
    .strictObject({
      algorithm: z.enum(hashes),
      ...sharedKeys(),
      over: z._default(
        z
          .enum(['params', 'body'])
          .check(
            z.describe(
              'Every name and value of query and body root, sorted by name; or the bytes of the body. 签名内容:排序后的参数,或请求体。',
            ),
          ),
        'params',
      ),
      join: z._default(
        z
          .string()
          .check(
            z.regex(/\{v\}/, 'a text with {v}, such as "{k}={v}&"'),
            z.describe('A pair; what follows {v} stands between pairs only. 参数拼接方式;{v} 之后的内容仅作分隔。'),
          ),
        '{k}{v}',
      ),
      before: around('Text before; {secret} in it is the secret. 前缀,{secret} 为密钥。'),
      after: around('Text after; {secret} in it is the secret. 后缀,{secret} 为密钥。'),
      encode: z._default(z.enum(['hex', 'base64']).check(z.describe('How the digest is written. 摘要编码。')), 'hex'),
      case: z.exactOptional(
        z.enum(['lower', 'upper']).check(z.describe('Letters of a hex digest. 十六进制摘要的大小写。')),
      ),
      empties: z._default(z.boolean().check(z.describe('Whether empty values are signed. 空值是否参与签名。')), false),
      lowerText: z._default(
        z.boolean().check(z.describe('The text is hashed in small letters. 签名原文先转小写。')),
        false,
      ),
    })
    .check(
      z.refine(({ algorithm, before, after }) => algorithm.startsWith('hmac') || /\{secret\}/.test(before + after), {
        error: 'a text with {secret}, here or in after: a plain hash without the secret proves nothing',
        path: ['before'],
      }),
      z.refine(({ encode, case: letters }) => encode === 'hex' || letters === undefined, {
        error: 'nothing: Base64 has letters of both kinds',
        path: ['case'],
      }),
    );

const namedSchema = (algorithm: 'wangdian' | 'lingxing') =>
  z.strictObject({ algorithm: z.literal(algorithm), ...sharedKeys() });

const signSchema = () =>
  z.discriminatedUnion('algorithm', [hashedSchema(), namedSchema('wangdian'), namedSchema('lingxing')]);

/** The key that says how requests are signed. */
export const signKey = () => ({
  sign: z.exactOptional(
    z
      .union(
        [signSchema(), z.array(signSchema()).check(z.minLength(1))],
        'a signature such as {"algorithm": "md5", "secret": {"env": "NAME"}, "before": "{secret}", "use": {"in": "query", "name": "sign"}}, or a list of them',
      )
      .check(z.describe('How requests are signed; of a list one after the other. 请求签名。')),
  ),
});

export type Sign = z.infer<ReturnType<typeof signSchema>>;
export type Hashed = Extract<Sign, { over: unknown }>;

/** One signature, or a list of them. */
export const signsIn = (sign: Sign | readonly Sign[] = []): readonly Sign[] => ('length' in sign ? sign : [sign]);

/** The references to the secrets of signatures; `key`: where `sign` stands in the connection block. Pure. */
export const signReferences = (sign: Sign | readonly Sign[] | undefined, key: string): Reference[] =>
  signsIn(sign).map(({ secret }, index) => ({
    key: `${key}${Array.isArray(sign) ? `[${index}]` : ''}.secret`,
    ref: secret,
  }));
