import { describe, expect, it } from 'vitest';
import { causeVerdicts, verdictOn } from '../../lib/source/verdict.ts';
import { answered, failed } from '../fakes/fake-http.ts';

describe('what an answer to a read asks for', () => {
  it.each([
    [200, {}, 'read', 'answered'],
    [204, {}, 'read', 'answered'],
    [301, {}, 'fail', 'source-redirected'],
    [302, {}, 'fail', 'source-redirected'],
    [400, {}, 'fail', 'source-refused'],
    [401, {}, 'fail', 'token-refused'],
    [403, {}, 'fail', 'source-refused'],
    [404, {}, 'fail', 'source-refused'],
    [408, {}, 'retry', 'source-timeout'],
    [422, {}, 'fail', 'source-refused'],
    [425, {}, 'retry', 'source-unavailable'],
    [429, {}, 'wait', 'source-429'],
    [429, { 'retry-after': '5' }, 'wait', 'source-429'],
    [500, {}, 'retry', 'source-unavailable'],
    [502, {}, 'retry', 'source-unavailable'],
    [503, {}, 'retry', 'source-unavailable'],
    [503, { 'retry-after': '5' }, 'wait', 'source-503'],
    [504, {}, 'retry', 'source-unavailable'],
    [100, {}, 'fail', 'source-refused'],
    [999, {}, 'fail', 'source-refused'],
  ])('status %d %j: %s, %s', (status, headers, reaction, code) => {
    expect(verdictOn(answered(status, '', headers))).toMatchObject({ reaction, code });
  });

  it.each([
    ['dns', 'retry', 'source-unreachable'],
    ['refused', 'retry', 'source-unreachable'],
    ['unreachable', 'retry', 'source-unreachable'],
    ['timeout', 'retry', 'source-timeout'],
    ['reset', 'retry', 'source-dropped'],
    ['network', 'retry', 'source-dropped'],
    ['tooLarge', 'fail', 'answer-too-large'],
  ] as const)('no whole answer, since %s: %s, %s', (cause, reaction, code) => {
    expect(verdictOn(failed(cause))).toMatchObject({ reaction, code });
  });

  it('comes with advice wherever a run may end by it', () => {
    for (const { advice } of Object.values(causeVerdicts)) expect(advice).not.toBe('');
    for (let status = 300; status < 600; status++) expect(verdictOn(answered(status)).advice).not.toBe('');
  });
});
