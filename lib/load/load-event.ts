import * as z from 'zod/mini';
import type { Delivery } from './deliveries.ts';

/** Thrown for an event that is no batch of the records queue. */
export class LoadEventError extends Error {
  override readonly name = 'LoadEventError';
  readonly code = 'load-event';
}

const queueEvent = z.object({ Records: z.array(z.object({ messageId: z.string(), body: z.string() })) });

/** The deliveries in an SQS event of `functions/load` (Lambda, "Using Lambda with Amazon SQS"). Throws LoadEventError. */
export const readLoadEvent = (event: unknown): Delivery[] => {
  const read = z.safeParse(queueEvent, event);
  if (read.success) return read.data.Records;
  const places = read.error.issues.map(({ path }) => path.join('.') || 'the whole').join(', ');
  throw new LoadEventError(`not an event of a queue; missing or wrong: ${places}`);
};
