/** The keys of `Fields`, each of them absent where its value was undefined. */
export type Defined<Fields> = { [Key in keyof Fields]?: Exclude<Fields[Key], undefined> };

/**
 * The fields that have a value: the one way in which an optional key is left out, `{ id, ...defined({ number }) }`.
 * Under `exactOptionalPropertyTypes` a key that is there with undefined is another thing than a key that is absent.
 */
export const defined = <Fields extends object>(fields: Fields): Defined<Fields> => {
  const kept: Defined<Fields> = {};
  for (const key in fields) {
    const value = fields[key];
    if (value !== undefined) kept[key] = value as Exclude<Fields[typeof key], undefined>;
  }
  return kept;
};
