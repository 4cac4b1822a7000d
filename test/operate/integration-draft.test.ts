import { expect, test } from 'vitest';
import { parseIntegration } from '../../lib/integration/read.ts';
import { type JsonObject, stringifyJson } from '../../lib/json/json.ts';
import { blocksIn, draftIntegration, questionsFor } from '../../lib/operate/integration-draft.ts';
import { describeFault } from '../../lib/runtime/fault.ts';

const groups: JsonObject = { api: '/v1/product/groups', effect: 'QUERY', method: 'GET', number: 'name', id: 'id' };
const empty: JsonObject = {
  api: '写入空操作',
  effect: 'EXECUTE',
  method: 'POST',
  number: 'number',
  id: 'id',
  name: '编码',
};
const bills: JsonObject = {
  api: 'executeBillQuery',
  type: 'QUERY',
  method: 'POST',
  request: [
    { field: 'FieldKeys', value: 'FSupplierId,FNumber' },
    { field: 'since', value: '{{LAST_SYNC_TIME}}' },
  ],
  otherRequest: [{ field: 'app_key', value: 'k3y-in-the-clear' }],
  appSecret: 's3cr3t',
};

const answersTo = (source: JsonObject, target: JsonObject, given: Record<string, string> = {}) => ({
  ...Object.fromEntries(questionsFor(source, target).map(({ key, suggestion = '' }) => [key, suggestion])),
  ...given,
});

test.each<[string, JsonObject, JsonObject, Record<string, string>]>([
  ['the blocks of the article', groups, empty, {}],
  [
    'an export without an id, with a window of time',
    bills,
    empty,
    { sourceId: 'FSupplierId', sourceForm: 'BD_Supplier' },
  ],
  [
    '金蝶 at both ends',
    { ...bills, id: 'FID', request: [{ field: 'FID', value: 'FID' }] },
    { api: 'batchSave', effect: 'EXECUTE', method: 'POST', request: [{ field: 'FBillNo', value: '{{FID}}' }] },
    { sourceForm: 'BD_Supplier', targetForm: 'STK_MISCELLANEOUS' },
  ],
  ['a target whose api is neither a path nor a name', groups, { ...empty, api: '保存 单据' }, {}],
])('a draft of %s is an integration without faults', (_, source, target, given) => {
  const answers = answersTo(source, target, given);
  const text = stringifyJson(draftIntegration(source, target, answers).file);
  const { faults, integration } = parseIntegration(text, `${answers.name}.json`);
  expect(faults.map(describeFault)).toEqual([]);
  expect(integration?.name).toBe(answers.name);
});

test('only what the blocks lack is asked for', () => {
  const keys = (source: JsonObject) => questionsFor(source, empty).map(({ key }) => key);
  expect(keys(groups)).not.toContain('sourceId');
  expect(keys(groups)).not.toContain('windowInitial');
  expect(keys(bills)).toEqual(expect.arrayContaining(['sourceId', 'windowInitial']));
});

test('no secret of a block gets into the file, and nothing else is taken out', () => {
  const text = stringifyJson(draftIntegration(bills, empty, answersTo(bills, empty)).file);
  expect(text).not.toContain('k3y-in-the-clear');
  expect(text).not.toContain('s3cr3t');
  expect(text).toContain('{{LAST_SYNC_TIME}}');
});

test('what was left out as a secret is told by its name', () => {
  const pasted = {
    request: [
      { field: '密码', value: 'x' },
      { field: 'api_key', value: 1 },
      { field: 'no', value: 'x' },
    ],
    children: [{ field: 'session_key', value: '{{CURRENT_TIME}}' }],
    accessKey: 'x',
  };
  expect(draftIntegration(pasted, bills, {}).leftOut).toEqual(['密码', 'api_key', 'accessKey', 'app_key', 'appSecret']);
});

test.each([
  ['one after the other', `${stringifyJson(groups)}\n${stringifyJson(empty)}`],
  ['with a comma between them', `${stringifyJson(groups)},\n${stringifyJson(empty)}`],
  ['as a list', `\uFEFF ${stringifyJson([groups, empty])}`],
])('two blocks are read %s', (_, text) => {
  expect(blocksIn(text)).toEqual([groups, empty]);
});

test.each([
  ['nothing', ''],
  ['one block', stringifyJson(groups)],
  ['a list of three', stringifyJson([groups, empty, empty])],
  ['something after the first that is no object', `${stringifyJson(groups)} 7`],
  ['what is no JSON', '{"api": }'],
])('%s is not two blocks', (_, text) => {
  expect(blocksIn(text)).toBeUndefined();
});
