import { isRawMap, type RawMap } from './service-file.ts';

/** A request that AWS refuses: the error's name, and what it says. */
type Broken = { code: string; message: string };

/** SQS API reference, SendMessage and SendMessageBatch. */
const MAX_DELAY_SEC = 900;
const MAX_ENTRY_ID = 80;

const delayFault = ({ DelaySeconds: delaySec }: RawMap): Broken | undefined =>
  delaySec === undefined || (Number.isInteger(delaySec) && Number(delaySec) >= 0 && Number(delaySec) <= MAX_DELAY_SEC)
    ? undefined
    : {
        code: 'InvalidParameterValue',
        message: `Value ${String(delaySec)} for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= ${MAX_DELAY_SEC}.`,
      };

const idFault = ({ Id: id }: RawMap): Broken | undefined =>
  typeof id === 'string' && id.length > MAX_ENTRY_ID
    ? { code: 'InvalidBatchEntryId', message: `A batch entry id can be at most ${MAX_ENTRY_ID} letters long.` }
    : undefined;

/** SQS API reference, SendMessage: letters, digits and ASCII punctuation. */
const GROUP_ID = /^[!-~]{1,128}$/;

const groupFault = ({ MessageGroupId: groupId }: RawMap): Broken | undefined =>
  groupId === undefined || (typeof groupId === 'string' && GROUP_ID.test(groupId))
    ? undefined
    : {
        code: 'InvalidParameterValue',
        message: `Value ${String(groupId)} for parameter MessageGroupId is invalid. Reason: MessageGroupId can only include alphanumeric and punctuation characters. 1 to 128 in length.`,
      };

/**
 * The rule of AWS that a request breaks and that the embedded servers would let pass; undefined: none. Which rules the
 * servers keep themselves is held by test/local/stack/request-rules.server.test.ts. Pure.
 */
export const brokenRule = (target: string, body: RawMap): Broken | undefined => {
  if (!target.startsWith('AmazonSQS.')) return undefined;
  const entries = (Array.isArray(body.Entries) ? body.Entries : []).filter(isRawMap);
  for (const part of [body, ...entries]) {
    const fault = delayFault(part) ?? idFault(part) ?? groupFault(part);
    if (fault !== undefined) return fault;
  }
  return undefined;
};
