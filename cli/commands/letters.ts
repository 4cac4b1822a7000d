import { stringifyJson } from '../../lib/json/json.ts';
import { type ExitCode, exitCodes } from '../../lib/operate/exit-code.ts';
import { lettersOf, waitingLetters } from '../../lib/operate/letters.ts';
import { filterOf, type LetterFlags, type StackFlags } from '../input/flags.ts';
import { nameMeant } from '../input/integration-choice.ts';
import { UsageError } from '../input/usage-error.ts';
import { letterText, listText } from '../screen/letters.ts';
import { withStores } from '../stack/with-stores.ts';
import { print, shown } from '../terminal/print.ts';

/** Prints the dead letters grouped by reason, in each the oldest first. */
export const listCommand = async (flags: LetterFlags): Promise<ExitCode> => {
  const filter = filterOf(flags, nameMeant(flags.integration));
  const { byReason, letters } = await withStores(flags, (stores) => waitingLetters(filter, stores));
  print(
    flags.json
      ? `${JSON.stringify({ byReason: Object.fromEntries(byReason), letters })}\n`
      : listText(shown(letters), byReason),
  );
  return exitCodes.ok;
};

/** Prints all of the letters of one record (or of a letter's message id). Throws UsageError where none waits. */
export const showCommand = async (
  id: string,
  flags: StackFlags & { integration?: string; json?: boolean },
): Promise<ExitCode> => {
  const integration = nameMeant(flags.integration);
  const found = await withStores(flags, (stores) => lettersOf(id, integration, stores));
  if (found.length === 0) throw new UsageError(`No dead letter waits for ${JSON.stringify(id)}. 没有这条死信。`);
  if (flags.json) print(`${stringifyJson({ letters: found })}\n`);
  else for (const one of found) print(letterText(shown(one)));
  return exitCodes.ok;
};
