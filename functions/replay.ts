import { lambdaHandler } from '../lib/aws/lambda/handler.ts';
import { openReplay } from '../lib/aws/lambda/open-replay.ts';
import { type Replayed, readReplayEvent, replay } from '../lib/replay/replay.ts';

/** Sends dead letters back to the records queue, as the event's filter says. */
export const handler = lambdaHandler(async (event): Promise<Replayed> => replay(readReplayEvent(event), openReplay()));
