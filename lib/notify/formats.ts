import { createHmac } from 'node:crypto';
import { isJsonObject, type JsonObject, type JsonValue } from '../json/json.ts';
import { printable } from '../runtime/printable.ts';
import type { Notice } from './notice.ts';

export const notifyFormats = ['dingtalk', 'wecom', 'feishu', 'json'] as const;
export type NotifyFormat = (typeof notifyFormats)[number];

/** A robot's request: where to, and what. */
export type RobotRequest = { url: string; body: JsonObject };

/** How one kind of robot wants to be spoken to, and how its answer says that it understood. */
type Robot = {
  request(notice: Notice, url: string, secret: string | undefined, nowMs: number): RobotRequest;
  /** The robots answer 200 to everything; their own word on it is in the body. */
  accepted(answer: JsonValue | undefined): boolean;
};

/** WeCom takes 2,048 bytes of text, the others more. */
const MAX_TEXT_BYTES = 2_048;

const textOf = ({ title, lines }: Notice): string => {
  // An id or an answer makes no lines of its own.
  const text = ['[okki-sync]', title, ...lines].map(printable).join('\n');
  if (Buffer.byteLength(text) <= MAX_TEXT_BYTES) return text;
  // Cut between characters, with room for the ellipsis of three bytes.
  let kept = '';
  let bytes = 3;
  for (const character of text) {
    bytes += Buffer.byteLength(character);
    if (bytes > MAX_TEXT_BYTES) break;
    kept += character;
  }
  return `${kept}…`;
};

const says = (key: string, value: number) => (answer: JsonValue | undefined) =>
  isJsonObject(answer) && answer[key] === value;

const robots: Readonly<Record<NotifyFormat, Robot>> = {
  // DingTalk open platform, "自定义机器人安全设置": signed with the secret as key, time in ms, both in the query.
  dingtalk: {
    request: (notice, url, secret, nowMs) => {
      const signed = new URL(url);
      if (secret !== undefined) {
        const sign = createHmac('sha256', secret).update(`${nowMs}\n${secret}`).digest('base64');
        signed.searchParams.set('timestamp', String(nowMs));
        signed.searchParams.set('sign', sign);
      }
      return { url: signed.href, body: { msgtype: 'text', text: { content: textOf(notice) } } };
    },
    accepted: says('errcode', 0),
  },
  // WeCom developer centre, "群机器人配置说明". It knows no signature: the key in its address is the secret.
  wecom: {
    request: (notice, url) => ({ url, body: { msgtype: 'text', text: { content: textOf(notice) } } }),
    accepted: says('errcode', 0),
  },
  // Feishu open platform, "自定义机器人使用指南": what is to be signed is the key, the message is empty; time in seconds.
  feishu: {
    request: (notice, url, secret, nowMs) => {
      const timestamp = String(Math.floor(nowMs / 1000));
      const sign =
        secret === undefined
          ? {}
          : { timestamp, sign: createHmac('sha256', `${timestamp}\n${secret}`).update('').digest('base64') };
      return { url, body: { ...sign, msg_type: 'text', content: { text: textOf(notice) } } };
    },
    accepted: says('code', 0),
  },
  json: {
    request: ({ title, lines, run, rest }, url) => ({
      url,
      body: {
        title,
        lines,
        ...(run && { run: run as unknown as JsonObject }),
        ...(rest && { rest: rest as unknown as JsonObject }),
      },
    }),
    accepted: () => true,
  },
};

/** The request that tells a robot of a notice; `secret` signs it where the robot knows signatures. Pure. */
export const robotRequest = (
  format: NotifyFormat,
  notice: Notice,
  url: string,
  secret: string | undefined,
  nowMs: number,
): RobotRequest => robots[format].request(notice, url, secret, nowMs);

/** Whether the body of a robot's 2xx answer says that it took the message. */
export const robotAccepted = (format: NotifyFormat, answer: JsonValue | undefined): boolean =>
  robots[format].accepted(answer);
