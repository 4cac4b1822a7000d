import type { Doors, Refusal } from '../guard.ts';
import { type Credentials, LOCAL_ACCOUNT_ID } from './local-account.ts';
import { type Grants, missingOf, type Use } from './permissions.ts';
import { brokenRule } from './request-rules.ts';
import { isRawMap, type RawMap } from './service-file.ts';

/** A function that calls under credentials of its own. */
export type Caller = { functionName: string; roleId: string; grants: Grants };

/** Who may call the embedded servers, and what they look at. */
export type Gate = {
  doors: Doors;
  /** Lets a function in, to what its role allows. */
  admit(credentials: Credentials, caller: Caller): void;
};

/**
 * The gate of one start. Its owner may do everything, like a person with an account. A function may do what its role
 * says.
 */
export const createGate = (owner: Credentials): Gate => {
  const callers = new Map<string, Caller>();
  return {
    admit({ accessKeyId }, caller) {
      callers.set(accessKeyId, caller);
    },
    doors: {
      accessKeys: () => [owner.accessKeyId, ...callers.keys()],
      refuse: (accessKeyId, target, text) => {
        const body = bodyOf(text);
        // What no service has a name for is left to the server, which says so.
        if (body === undefined || target === '') return undefined;
        const caller = callers.get(accessKeyId);
        return (caller && denialOf(caller, target, body)) ?? brokenOf(target, body);
      },
    },
  };
};

const bodyOf = (text: string): RawMap | undefined => {
  try {
    const body: unknown = JSON.parse(text);
    return isRawMap(body) ? body : undefined;
  } catch {
    return undefined;
  }
};

/**
 * The answer to a request that the caller's role does not allow; undefined: it is allowed. Rule: IAM user guide,
 * "Policy evaluation logic" (what no statement allows is denied) and "Troubleshoot access denied error messages".
 */
export const denialOf = (
  { functionName, roleId, grants }: Caller,
  target: string,
  body: RawMap,
): Refusal | undefined => {
  const missing = missingOf(grants, target, body);
  if (missing === undefined) return undefined;
  const message = denialMessage(functionName, roleId, missing);
  const isQueue = missing.action.startsWith('sqs:');
  return {
    status: isQueue ? 403 : 400,
    // SQS kept the codes of its old protocol for the clients that know them.
    headers: isQueue ? { 'x-amzn-query-error': 'AccessDenied;Sender' } : {},
    body: { __type: 'com.amazon.coral.service#AccessDeniedException', message },
  };
};

const denialMessage = (functionName: string, roleId: string, { action, resource }: Use): string =>
  `User: arn:aws:sts::${LOCAL_ACCOUNT_ID}:assumed-role/${roleId}/${functionName} is not authorized to perform: ` +
  `${action} on resource: ${resource} because no identity-based policy allows the ${action} action`;

const brokenOf = (target: string, body: RawMap): Refusal | undefined => {
  const broken = brokenRule(target, body);
  if (broken === undefined) return undefined;
  const { code, message } = broken;
  return {
    status: 400,
    headers: { 'x-amzn-query-error': `${code};Sender` },
    body: { __type: `com.amazonaws.sqs#${code}`, message },
  };
};
