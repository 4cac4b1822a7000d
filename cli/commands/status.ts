import type { Integration } from '../../lib/integration/schema/schema.ts';
import { type ExitCode, exitCodes } from '../../lib/operate/exit-code.ts';
import { countLetters } from '../../lib/operate/letters.ts';
import { findRun } from '../../lib/operate/runs.ts';
import { isClosed, lookAtRun, type RunLook, watchRun } from '../../lib/operate/status.ts';
import type { RunRecord } from '../../lib/runs/record.ts';
import type { RunStore } from '../../lib/runs/store.ts';
import { systemClock as clock } from '../../lib/runtime/clock.ts';
import type { Stores } from '../../lib/stores/stores.ts';
import type { StackFlags } from '../input/flags.ts';
import { integrationsMeant } from '../input/integration-choice.ts';
import { UsageError } from '../input/usage-error.ts';
import { booksJson } from '../screen/books.ts';
import { statusText } from '../screen/status.ts';
import { noRuns } from '../screen/words.ts';
import { withStores } from '../stack/with-stores.ts';
import { print, shown } from '../terminal/print.ts';

export type StatusFlags = StackFlags & { integration?: string; watch?: boolean; ids?: boolean; json?: boolean };

/**
 * Prints a run's books by stage, drawn up now. With `watch` again and again until the run is closed. Throws UsageError
 * for an unknown run.
 */
export const statusCommand = async (word: string, flags: StatusFlags): Promise<ExitCode> => {
  const integrations = integrationsMeant(flags.integration);
  const lookAt = async (run: RunRecord, stores: Stores): Promise<RunLook> => {
    const integration = integrations.find(({ name }) => name === run.integration);
    const seen = await lookAtRun(run, integration, { ...stores, clock }, { everyId: flags.ids ?? false });
    return { ...seen, deadLetters: await countLetters(run.integration, stores, true) };
  };
  if (!flags.watch) {
    const seen = await withStores(flags, async (stores) =>
      lookAt(await runMeant(stores.runs, integrations, word), stores),
    );
    print(flags.json ? `${statusJson(seen)}\n` : statusText(shown(seen)));
    return exitCodes.ok;
  }
  let watched = await withStores(flags, ({ runs }) => runMeant(runs, integrations, word));
  // The stores are opened anew for each look: the process whose servers are used may end while the run is watched.
  const look = () =>
    withStores(flags, async (stores) => {
      watched = (await stores.runs.run(watched.integration, watched.runId)) ?? watched;
      return lookAt(watched, stores);
    });
  for await (const seen of watchRun(look, clock)) {
    // On a terminal the page is drawn again in its place; elsewhere pages follow each other.
    if (!isClosed(seen.run) && process.stdout.isTTY && !flags.json) clearScreen();
    print(flags.json ? `${statusJson(seen)}\n` : statusText(shown(seen)));
  }
  return exitCodes.ok;
};

const clearScreen = (): void => {
  process.stdout.write('\u001b[2J\u001b[H');
};

const IDS_SHOWN = 5;

/** The run that an operator means. Throws UsageError where there is none, or more than one. */
const runMeant = async (runs: RunStore, integrations: readonly Integration[], word: string): Promise<RunRecord> => {
  const found = await findRun(runs, integrations, word);
  switch (found.kind) {
    case 'found':
      return found.run;
    case 'no-runs':
      throw new UsageError(noRuns(integrations));
    case 'unknown':
      throw new UsageError(`There is no run ${JSON.stringify(word)}. okki-sync runs lists them. 没有这个运行。`);
    case 'ambiguous': {
      const ids = found.runIds.slice(0, IDS_SHOWN).map((runId) => `  ${runId}`);
      throw new UsageError([`${JSON.stringify(word)} fits ${found.runIds.length} runs, such as`, ...ids].join('\n'));
    }
    default:
      return found satisfies never;
  }
};

const statusJson = ({
  run,
  limits,
  pauses,
  rests: restsNow,
  unsettled,
  records,
  unsent,
  isUnderWay,
  deadLetters,
  ...books
}: RunLook): string => {
  const reasons = records.flatMap((one) => (one.reason === undefined ? [] : [[one.id, one.reason] as const]));
  return JSON.stringify({
    ...run,
    limits,
    pauses,
    restsNow,
    unsettled,
    reasons: Object.fromEntries(reasons),
    unsent,
    isUnderWay,
    deadLetters,
    ...booksJson(books),
  });
};
