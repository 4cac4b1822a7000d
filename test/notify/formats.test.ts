import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { robotAccepted, robotRequest } from '../../lib/notify/formats.ts';
import type { Notice } from '../../lib/notify/notice.ts';
import { loadingRun } from '../runs/run-record.ts';

const { runId, integration, status, counts, vanished } = loadingRun;
const notice: Notice = {
  title: '账目不平: groups',
  lines: ['run r', 'open 1'],
  run: { runId, integration, status, counts, vanished },
};
const text = '[okki-sync]\n账目不平: groups\nrun r\nopen 1';
const NOW_MS = 1_767_571_200_123;

describe('dingtalk', () => {
  const url = 'https://robot.test/robot/send?access_token=t';

  test('gets a text', () => {
    expect(robotRequest('dingtalk', notice, url, undefined, NOW_MS)).toEqual({
      url,
      body: { msgtype: 'text', text: { content: text } },
    });
  });

  test('gets time in ms and signature in the query', () => {
    const { searchParams } = new URL(robotRequest('dingtalk', notice, url, 'SEC1', NOW_MS).url);
    expect(searchParams.get('access_token')).toBe('t');
    expect(searchParams.get('timestamp')).toBe(String(NOW_MS));
    expect(searchParams.get('sign')).toBe(createHmac('sha256', 'SEC1').update(`${NOW_MS}\nSEC1`).digest('base64'));
  });
});

describe('wecom', () => {
  test('gets a text, and no signature, which it does not know', () => {
    expect(robotRequest('wecom', notice, 'https://robot.test/?key=k', 'SEC1', NOW_MS)).toEqual({
      url: 'https://robot.test/?key=k',
      body: { msgtype: 'text', text: { content: text } },
    });
  });

  test('gets 2,048 bytes at most, cut between characters', () => {
    const long = { ...notice, lines: ['未完成'.repeat(1_000)] };
    const { body } = robotRequest('wecom', long, 'https://robot.test', undefined, NOW_MS);
    const { content } = body.text as { content: string };
    expect(Buffer.byteLength(content)).toBeGreaterThan(2_040);
    expect(Buffer.byteLength(content)).toBeLessThanOrEqual(2_048);
    expect(content).toMatch(/^[^\uFFFD]*…$/);
  });
});

describe('feishu', () => {
  test('gets a text', () => {
    expect(robotRequest('feishu', notice, 'https://robot.test/hook/1', undefined, NOW_MS).body).toEqual({
      msg_type: 'text',
      content: { text },
    });
  });

  test('gets time in seconds and a signature of nothing, keyed by time and secret', () => {
    const timestamp = '1767571200';
    expect(robotRequest('feishu', notice, 'https://robot.test/hook/1', 'SEC1', NOW_MS).body).toMatchObject({
      timestamp,
      sign: createHmac('sha256', `${timestamp}\nSEC1`).digest('base64'),
    });
  });
});

test('json gets the facts', () => {
  expect(robotRequest('json', notice, 'https://hook.test', undefined, NOW_MS).body).toEqual({
    title: notice.title,
    lines: notice.lines,
    run: notice.run,
  });
});

test.each([
  ['dingtalk', { errcode: 0, errmsg: 'ok' }, true],
  ['dingtalk', { errcode: 310000, errmsg: 'sign not match' }, false],
  ['wecom', { errcode: 0, errmsg: 'ok' }, true],
  ['wecom', { errcode: 93000, errmsg: 'invalid webhook url' }, false],
  ['feishu', { code: 0, msg: 'success' }, true],
  ['feishu', { code: 19021, msg: 'sign match fail' }, false],
  ['feishu', undefined, false],
  ['json', undefined, true],
] as const)('%s took it, by its answer %j: %s', (format, answer, accepted) => {
  expect(robotAccepted(format, answer)).toBe(accepted);
});

test.each(['dingtalk', 'wecom', 'feishu'] as const)('%s: an id makes no lines and no signs of its own', (format) => {
  const hostile = { title: 'a\nb', lines: ['7\r\n[okki-sync] all is well\u202e\u001b[2J'] };
  const texts: string[] = [];
  JSON.parse(
    JSON.stringify(robotRequest(format, hostile, 'https://robot.test/?key=k', undefined, NOW_MS).body),
    (_, value) => texts.push(String(value)),
  );
  expect(texts.find((text) => text.startsWith('[okki-sync]'))?.split('\n')).toEqual([
    '[okki-sync]',
    'a\\u000ab',
    '7\\u000d\\u000a[okki-sync] all is well\\u202e\\u001b[2J',
  ]);
});
