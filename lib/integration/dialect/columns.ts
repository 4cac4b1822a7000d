import type { JsonValue } from '../../json/json.ts';

/** The field in which 金蝶's query names its columns, in one text with commas. */
export const COLUMNS_FIELD = 'FieldKeys';

/** The columns of a list whose rows are lists: as FieldKeys names them, else one for each field of the request. Pure. */
export const columnsIn = (request: readonly { field: string; value?: JsonValue }[]): string[] => {
  const named = request.find(({ field }) => field === COLUMNS_FIELD)?.value;
  const texts = Array.isArray(named) ? named : typeof named === 'string' ? named.split(',') : undefined;
  return texts === undefined
    ? request.map(({ field }) => field)
    : texts.flatMap((text) => (typeof text === 'string' && text.trim() !== '' ? [text.trim()] : []));
};
