import { surelyLoaded } from '../idcheck/decide.ts';
import { type IdCheck, type IdStore, stateOf } from '../idcheck/item.ts';
import type { Letter } from '../messages/dead-letter.ts';
import { type LetterFilter, listLetters } from '../messages/dead-letter-queue.ts';
import { type DeadLetterReason, deadLetterReasons } from '../messages/dead-letter-reasons.ts';
import { messagesIn } from '../messages/queue.ts';
import { defined } from '../runtime/defined.ts';
import type { Stores } from '../stores/stores.ts';

/** A letter without the queue's own handle. */
export type LetterFacts = Omit<Letter, 'handle'>;

export const letterFacts = ({ handle: _, ...letter }: Letter): LetterFacts => letter;

/** `loadedSince`: a later run has loaded its content; a replay only deletes the letter. */
export type ListedLetter = LetterFacts & { loadedSince?: true };

export type LetterDeps = Pick<Stores, 'deadLetters' | 'idStore'>;

/** The letters that are meant, oldest first, and how many wait for each reason. They stay where they are. */
export const waitingLetters = async (
  filter: LetterFilter,
  { deadLetters, idStore }: LetterDeps,
): Promise<{ byReason: Map<DeadLetterReason, number>; letters: ListedLetter[] }> => {
  const letters = await listLetters(deadLetters, filter);
  const settled = await loadedSince(letters, idStore);
  return {
    byReason: countByReason(letters),
    letters: letters.map((letter) => ({ ...letterFacts(letter), ...(settled.has(letter) && { loadedSince: true }) })),
  };
};

/**
 * How many letters of an integration wait. Looking through an empty queue costs a long poll. Where its depth is exact,
 * or an estimate will do, the depth is asked first.
 */
export const countLetters = async (
  integration: string,
  { deadLetters }: Pick<Stores, 'deadLetters'>,
  trustsDepth: boolean,
): Promise<number> => {
  if (trustsDepth && messagesIn(await deadLetters.depth()) === 0) return 0;
  return (await listLetters(deadLetters, { integration })).length;
};

/** How many wait for each reason, in the order in which reasons are documented. */
export const countByReason = (letters: ReadonlyArray<Pick<Letter, 'reason'>>): Map<DeadLetterReason, number> =>
  new Map(
    deadLetterReasons.flatMap((reason) => {
      const count = letters.filter((letter) => letter.reason === reason).length;
      return count === 0 ? [] : [[reason, count] as const];
    }),
  );

/** The state under which idCheck knows the record of a letter; undefined: the letter names no integration. */
export const stateOfLetter = (letter: Pick<Letter, 'integration' | 'generation' | 'message'>): string | undefined => {
  const { integration, generation } = letter.message ?? letter;
  return integration === undefined ? undefined : stateOf({ integration, ...defined({ generation }) });
};

/** The letters whose content is loaded by now: a later run sent it again. */
const loadedSince = async (letters: readonly Letter[], idStore: IdStore): Promise<ReadonlySet<Letter>> => {
  const settled = new Set<Letter>();
  for (const state of new Set(letters.map(stateOfLetter))) {
    if (state === undefined) continue;
    const these = letters.filter((letter) => stateOfLetter(letter) === state);
    const items = await idStore.read(
      state,
      these.flatMap(({ id }) => id ?? []),
    );
    for (const letter of these) {
      const item = items.get(letter.id ?? '');
      const isLoaded = item !== undefined && surelyLoaded(item)?.hash === letter.message?.hash;
      if (isLoaded && item.trouble === undefined) settled.add(letter);
    }
  }
  return settled;
};

/** A letter, and what idCheck knows of its record by now; absent: nothing. */
export type ShownLetter = { letter: LetterFacts; item?: IdCheck };

/** The letters of one record (or the one with this message id), with what is known of the record by now. */
export const lettersOf = async (
  id: string,
  integration: string | undefined,
  { deadLetters, idStore }: LetterDeps,
): Promise<ShownLetter[]> => {
  const itemOf = async (letter: Letter): Promise<IdCheck | undefined> => {
    const state = stateOfLetter(letter);
    return state === undefined || letter.id === undefined
      ? undefined
      : (await idStore.read(state, [letter.id])).get(letter.id);
  };
  const letters = await listLetters(deadLetters, { id, ...defined({ integration }) });
  return Promise.all(
    letters.map(async (letter) => ({ letter: letterFacts(letter), ...defined({ item: await itemOf(letter) }) })),
  );
};
