import { type Replayed, replay } from '../lib/replay/replay.ts';
import { readReplayEvent } from '../lib/replay/replay-event.ts';
import { lambdaHandler } from '../lib/runtime/handler.ts';
import { openReplay } from '../lib/runtime/open-replay.ts';

/** Sends dead letters back to the records queue, as the event's filter says. */
export const handler = lambdaHandler(async (event): Promise<Replayed> => replay(readReplayEvent(event), openReplay()));
