import type { FaultBoard } from './fault-board.ts';
import { jsonReply, type Reply, retryAfterHeader } from './reply.ts';

type SourceEndpoint = 'token' | 'refresh' | 'groups' | 'receipts';

/** What goes wrong before a request reaches OKKI's endpoints: it is throttled, or the server breaks. */
export const beforeOkki = (faults: FaultBoard, on: SourceEndpoint, nowMs: number): Reply | undefined => {
  const throttled = faults.happens('source-429', { on });
  if (throttled !== undefined) {
    return jsonReply(429, { code: 429, message: 'Too Many Requests' }, retryAfterHeader(throttled, nowMs));
  }
  const broken = faults.happens('source-500', { on });
  if (broken === undefined) return undefined;
  const { status } = broken;
  return jsonReply(status, { code: status, message: 'Internal Server Error' }, retryAfterHeader(broken, nowMs));
};

const MAINTENANCE_PAGE =
  '<!DOCTYPE html><html lang="zh-CN"><head><title>系统维护中</title></head><body><h1>系统维护中,请稍后再试</h1></body></html>';

/** What befalls OKKI's answer: another body under the same status. */
export const distorted = (faults: FaultBoard, on: SourceEndpoint, reply: Reply): Reply => {
  if (faults.happens('source-html', { on })) {
    return { status: 200, headers: { 'content-type': 'text/html; charset=utf-8' }, text: MAINTENANCE_PAGE };
  }
  if (faults.happens('source-empty', { on })) return { ...reply, status: 200, text: '' };
  if (faults.happens('source-truncated', { on })) {
    return { ...reply, status: 200, text: reply.text.slice(0, Math.floor(reply.text.length / 2)) };
  }
  if (faults.happens('source-wrong-shape', { on })) return jsonReply(200, { result: { rows: 'none' }, ok: 'yes' });
  return reply;
};

/** What befalls any answer of OKKI on its way: late, or dropped. */
export const onTheWay = (faults: FaultBoard, on: SourceEndpoint, reply: Reply): Reply => {
  const slow = faults.happens('source-slow', { on });
  const dropped = faults.happens('source-drop', { on });
  return {
    ...reply,
    ...(slow === undefined ? {} : { lateMs: slow.ms }),
    ...(dropped === undefined ? {} : { dropped: dropped.when === 'start' ? 'before' : 'midBody' }),
  };
};
