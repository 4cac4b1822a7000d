/**
 * Reads several paged lists at once, at most `concurrency` of them, and gives their pages as they come. Each list is
 * at most one page ahead of the consumer. The first failure is thrown; leaving early closes the lists.
 */
export async function* mergePages<Page>(
  lists: readonly (() => AsyncGenerator<Page>)[],
  concurrency: number,
): AsyncGenerator<Page> {
  type Arrival = { list: AsyncGenerator<Page>; result: IteratorResult<Page> };
  const waiting = lists.values();
  const open = new Map<AsyncGenerator<Page>, Promise<Arrival>>();
  const readOn = (list: AsyncGenerator<Page>) => {
    const arrival = list.next().then((result) => ({ list, result }));
    // Two lists can fail at once, and only the first failure is awaited.
    arrival.catch(() => {});
    open.set(list, arrival);
  };
  const openNext = () => {
    const { value: start } = waiting.next();
    if (start) readOn(start());
  };
  for (let opened = 0; opened < concurrency; opened++) openNext();
  try {
    while (open.size > 0) {
      const { list, result } = await Promise.race(open.values());
      if (result.done) {
        open.delete(list);
        openNext();
      } else {
        readOn(list);
        yield result.value;
      }
    }
  } finally {
    for (const list of open.keys()) list.return(undefined).catch(() => {});
  }
}
