import type { Message } from '@aws-sdk/client-sqs';
import { defined } from '../../lib/runtime/defined.ts';
import { TRACE_ATTRIBUTE } from './lineage.ts';

/** One record of the event that Lambda makes of a queue's messages (developer guide, "Using Lambda with Amazon SQS"). */
export type SqsRecord = {
  messageId: string;
  receiptHandle: string;
  body: string;
  attributes: Record<string, string>;
  messageAttributes: Record<string, SqsRecordAttribute>;
  md5OfMessageAttributes?: string;
  md5OfBody: string;
  eventSource: 'aws:sqs';
  eventSourceARN: string;
  awsRegion: string;
};

type SqsRecordAttribute = {
  stringValue?: string;
  /** Base64. */
  binaryValue?: string;
  stringListValues: string[];
  binaryListValues: string[];
  dataType: string;
};

/** The chain by which a received message came. The queue server keeps it among the sender's attributes. */
export const traceOf = (message: Message): string | undefined =>
  message.MessageAttributes?.[TRACE_ATTRIBUTE]?.StringValue;

/** A received message as the record that the function gets. */
export function toSqsRecord(message: Message, queue: { arn: string; region: string }): SqsRecord {
  const { [TRACE_ATTRIBUTE]: _, ...attributes } = message.MessageAttributes ?? {};
  return {
    messageId: message.MessageId ?? '',
    receiptHandle: message.ReceiptHandle ?? '',
    body: message.Body ?? '',
    attributes: { ...message.Attributes, ...defined({ [TRACE_ATTRIBUTE]: traceOf(message) }) },
    messageAttributes: Object.fromEntries(
      Object.entries(attributes).map(([name, attribute]) => [
        name,
        {
          ...defined({ stringValue: attribute.StringValue }),
          ...(attribute.BinaryValue === undefined
            ? {}
            : { binaryValue: Buffer.from(attribute.BinaryValue).toString('base64') }),
          stringListValues: [],
          binaryListValues: [],
          dataType: attribute.DataType ?? 'String',
        },
      ]),
    ),
    ...defined({ md5OfMessageAttributes: message.MD5OfMessageAttributes }),
    md5OfBody: message.MD5OfBody ?? '',
    eventSource: 'aws:sqs',
    eventSourceARN: queue.arn,
    awsRegion: queue.region,
  };
}
