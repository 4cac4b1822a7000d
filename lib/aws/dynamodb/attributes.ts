import { type AttributeValue, ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';

export type Item = Record<string, AttributeValue>;

/** A stored item is not what this program writes: made by hand, or by a newer version. */
export class MalformedItemError extends Error {
  override readonly name = 'MalformedItemError';
  readonly code = 'malformed-item';

  constructor(key: string, fault: string, options?: ErrorOptions) {
    super(`item ${key} is malformed: ${fault}`, options);
  }
}

/** Reads attributes with their types; throws `MalformedItemError` with the item's key where one is not as expected. */
export type ItemReader = {
  has(name: string): boolean;
  text(name: string): string;
  number(name: string): number;
  bytes(name: string): Uint8Array;
  /** A nested map, or undefined where there is none. */
  map(name: string): ItemReader | undefined;
};

/** `key` names the item in errors. */
export const readItem = (item: Item, key: string): ItemReader => {
  const fault = (name: string, expected: string) => new MalformedItemError(key, `${name} must be ${expected}`);
  return {
    has: (name) => item[name] !== undefined,
    text: (name) => {
      const value = item[name]?.S;
      if (value === undefined) throw fault(name, 'a string');
      return value;
    },
    number: (name) => {
      const value = item[name]?.N;
      if (value === undefined) throw fault(name, 'a number');
      return Number(value);
    },
    bytes: (name) => {
      const value = item[name]?.B;
      if (value === undefined) throw fault(name, 'binary');
      return value;
    },
    map: (name) => {
      const value = item[name];
      if (value === undefined) return undefined;
      if (value.M === undefined) throw fault(name, 'a map');
      return readItem(value.M, `${key} ${name}`);
    },
  };
};

export const text = (value: string): AttributeValue => ({ S: value });
export const number = (value: number): AttributeValue => ({ N: String(value) });

/** Whether a conditional write was refused because its condition did not hold. */
export const isConditionFailed = (error: unknown): error is ConditionalCheckFailedException =>
  error instanceof ConditionalCheckFailedException;
