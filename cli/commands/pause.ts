import { type ExitCode, exitCodes } from '../../lib/operate/exit-code.ts';
import { setPaused } from '../../lib/operate/pause.ts';
import { systemClock as clock } from '../../lib/runtime/clock.ts';
import { operatorName } from '../input/ask.ts';
import type { StackFlags } from '../input/flags.ts';
import { chooseIntegration } from '../input/integration-choice.ts';
import { localTime } from '../screen/words.ts';
import { withStores } from '../stack/with-stores.ts';
import { print } from '../terminal/print.ts';

export type PauseFlags = StackFlags & { why?: string; by?: string; json?: boolean };

/** Pauses an integration, or lets it go on; said twice, the second word changes nothing. Throws EndBusyError. */
export const pauseCommand = async (isPaused: boolean, nameOrPath: string, flags: PauseFlags): Promise<ExitCode> => {
  const { name } = chooseIntegration(nameOrPath).integration;
  const signature = { by: flags.by ?? operatorName(), why: flags.why ?? (isPaused ? 'paused' : 'resumed') };
  const { pausedSinceMs, isNew } = await withStores(flags, (stores) =>
    setPaused(name, isPaused, signature, { ...stores, clock }),
  );
  if (flags.json) print(`${JSON.stringify({ integration: name, pausedSinceMs: pausedSinceMs ?? null, isNew })}\n`);
  else print(pausedText(name, pausedSinceMs));
  return exitCodes.ok;
};

const pausedText = (name: string, pausedSinceMs: number | undefined): string =>
  pausedSinceMs === undefined
    ? `${name} goes on: its schedule starts runs again. 已恢复调度。\n`
    : `${name} is paused since ${localTime(pausedSinceMs)}: its schedule starts no run, what is queued is loaded.\n已暂停调度;已入队的记录照常写入。npm start -- resume ${name}\n`;
