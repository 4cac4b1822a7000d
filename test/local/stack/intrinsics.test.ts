// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Fn::Sub's placeholders are written like this.
import { expect, test } from 'vitest';
import { resolveIntrinsics } from '../../../local/stack/intrinsics.ts';

const scope = {
  resources: new Map([['Queue', { ref: 'http://queue', attributes: { Arn: 'arn:queue', QueueName: 'q' } }]]),
  pseudoParameters: { 'AWS::Region': 'us-east-1' },
};

test.each([
  ['Ref of a resource', { Ref: 'Queue' }, 'http://queue'],
  ['Ref of a pseudo parameter', { Ref: 'AWS::Region' }, 'us-east-1'],
  ['GetAtt as text', { 'Fn::GetAtt': 'Queue.Arn' }, 'arn:queue'],
  ['GetAtt as list', { 'Fn::GetAtt': ['Queue', 'Arn'] }, 'arn:queue'],
  ['Sub', { 'Fn::Sub': 'x:${AWS::Region}:${Queue}:${Queue.QueueName}' }, 'x:us-east-1:http://queue:q'],
  ['Sub with an escape', { 'Fn::Sub': '${!Literal}' }, '${Literal}'],
  ['Sub with variables of its own', { 'Fn::Sub': ['${Name}!', { Name: { Ref: 'Queue' } }] }, 'http://queue!'],
  ['Join', { 'Fn::Join': [':', ['a', { Ref: 'AWS::Region' }]] }, 'a:us-east-1'],
  ['within structures', { a: [{ Ref: 'Queue' }], b: 0 }, { a: ['http://queue'], b: 0 }],
  ['a mapping of several keys that only looks like one', { Ref: 'Queue', other: 1 }, { Ref: 'Queue', other: 1 }],
])('%s', (_title, value, expected) => {
  expect(resolveIntrinsics(value, scope)).toEqual(expected);
});

test.each([
  [{ Ref: 'Topic' }, '!Ref Topic is not a queue or table of this service'],
  [{ 'Fn::GetAtt': 'Queue.Colour' }, '!GetAtt Queue.Colour is not an attribute of a queue or table of this service'],
  [{ 'Fn::Sub': '${Topic.Arn}' }, '!GetAtt Topic.Arn'],
  [{ 'Fn::ImportValue': 'x' }, 'Fn::ImportValue is not evaluated on the local stack'],
])('%o is refused with its name', (value, message) => {
  expect(() => resolveIntrinsics(value, scope)).toThrow(message);
});
