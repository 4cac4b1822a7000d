import { describe, expect, test } from 'vitest';
import { sourcePlanOf } from '../../lib/integration/compile/source-plan.ts';
import { targetPlanOf } from '../../lib/integration/compile/target-plan.ts';
import { parseIntegration } from '../../lib/integration/read.ts';
import { type Changes, changedText, integrationWith } from './sample.ts';

const NAME = 'okki-product-groups-to-qingyiyun';
const ref = { env: 'SECRET' };
const faultsOf = (changes: Changes): string[] =>
  parseIntegration(changedText(NAME, changes), `${NAME}.json`).faults.map(({ path }) => path);

describe('what authorises a GET', () => {
  const sign = { algorithm: 'md5', secret: ref, before: '{secret}' };
  const query = { in: 'query', name: 'sign' };
  test.each<[string, object, string[]]>([
    [
      'params',
      {
        params: [
          { in: 'query', name: 'a', value: 1 },
          { in: 'body', name: 'b', value: 1 },
        ],
      },
      ['params[1].in'],
    ],
    ['a signature', { sign: { ...sign, use: { in: 'body', name: 'sign' } } }, ['sign.use.in']],
    [
      'timestamp and nonce',
      {
        sign: [
          {
            ...sign,
            use: query,
            timestamp: { name: 't', form: 's', in: 'body' },
            nonce: { name: 'n', length: 8, in: 'body' },
          },
        ],
      },
      ['sign[0].timestamp.in', 'sign[0].nonce.in'],
    ],
    ['nothing in a body', { params: [{ in: 'header', name: 'a', value: 1 }], sign: { ...sign, use: query } }, []],
  ])('cannot go into its body: %s', (_, keys, places) => {
    const auth = { kind: 'none', ...keys };
    const paths = places.map((place) => `source.connection.auth.${place}`);
    expect(faultsOf({ 'source.connection.auth': JSON.parse(JSON.stringify(auth)) })).toEqual(paths);
  });

  test('a token neither, and a token request in the query has no body to sign', () => {
    const auth = {
      kind: 'token',
      request: { url: '/token', in: 'query', params: {}, sign: { ...sign, use: { in: 'body', name: 'sign' } } },
      answer: { token: 'token' },
      use: { in: 'body', name: 'token' },
    };
    expect(faultsOf({ 'source.connection.auth': auth })).toEqual([
      'source.connection.auth.request.sign.use.in',
      'source.connection.auth.use.in',
    ]);
  });
});

test('{{api}} in auth.params is the name of the method, on either side', async () => {
  const auth = { kind: 'none', params: [{ in: 'query', name: 'method', value: '{{api}}' }] };
  const integration = integrationWith(NAME, {
    'source.connection.auth': auth,
    'source.metadata.api': 'erp.goods.get',
    'source.path': '/open',
    'target.connection.auth': auth,
  });
  expect(sourcePlanOf(integration).connection.auth.params).toMatchObject([{ value: 'erp.goods.get' }]);
  expect((await targetPlanOf(integration)).connection.auth.params).toMatchObject([{ value: '写入空操作' }]);
});
