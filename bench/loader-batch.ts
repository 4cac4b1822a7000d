import type { SQSRecord } from 'aws-lambda';
import { contentHash } from '../lib/idcheck/hash.ts';
import { type RecordMessage, writeMessage } from '../lib/messages/record-message.ts';
import { shippedIntegration } from './groups.ts';

/** One delivery of the records queue. */
export type LoaderBatch = { message: RecordMessage; record: SQSRecord }[];

const { name: integration } = shippedIntegration();
const FIRST_ID = 5_203_300_076;

/** A batch of new records as fetch sends them, from number `first` on. */
export const loaderBatch = (first: number, records: number): LoaderBatch =>
  Array.from({ length: records }, (_, index) => {
    const id = String(FIRST_ID + (first + index) * 7);
    const body = { number: `产品分组 ${first + index}`, id, 编码: `产品分组 ${first + index}` };
    const message: RecordMessage = {
      v: 1,
      integration,
      runId: `${integration}-20260105T010000Z`,
      id,
      hash: contentHash(body),
      versionMs: 1_767_574_801_000,
      body,
      attempts: 0,
      deferrals: 0,
      firstSentMs: 1_767_574_802_000,
    };
    return { message, record: recordOf(`message-${first + index}`, writeMessage(message)) };
  });

const recordOf = (messageId: string, body: string): SQSRecord => ({
  messageId,
  receiptHandle: `handle-${messageId}`,
  body,
  attributes: {
    ApproximateReceiveCount: '1',
    SentTimestamp: '1767574802000',
    SenderId: 'AROAEXAMPLE:okki-sync-dev-fetch',
    ApproximateFirstReceiveTimestamp: '1767574803000',
  },
  messageAttributes: {},
  md5OfBody: '',
  eventSource: 'aws:sqs',
  eventSourceARN: 'arn:aws:sqs:us-east-1:123456789012:okki-sync-dev-records',
  awsRegion: 'us-east-1',
});
