/**
 * How one call of a port goes wrong.
 *
 * - `refused`: nothing is applied, and the call throws.
 * - `answer lost`: applied, but the call throws.
 * - `killed before`, `killed after`: the call never comes back, as where the process ends during it.
 * - `half`: a queue takes the first half of a list, and says so; only where a list goes to a queue (`canGoWrong`).
 */
export const faultKinds = ['refused', 'answer lost', 'killed before', 'killed after', 'half'] as const;
export type FaultKind = (typeof faultKinds)[number];

/** Whether a call, as `port.method`, can go wrong in this way. */
export const canGoWrong = (call: string, kind: FaultKind): boolean =>
  kind !== 'half' || /\.(sendAll|delete)$/.test(call);

class InjectedFault extends Error {
  override readonly name = 'InjectedFault';
}

const never = <Value>(): Promise<Value> => new Promise(() => {});

export interface Faults {
  /** Lets the call of this number (from 0), over all wrapped ports, go wrong once. */
  arm(at: number, kind: FaultKind): void;
  /** The calls so far, as `port.method`, in order. */
  readonly calls: string[];
  /** The same port, its methods counted and open to faults. Iterables fail at their beginning. */
  wrap<Port extends object>(name: string, port: Port): Port;
}

/** Counts the calls of ports and lets one of them go wrong. */
export const portFaults = (): Faults => {
  const calls: string[] = [];
  let armed: { at: number; kind: FaultKind } | undefined;

  const take = (name: string): FaultKind | undefined => {
    const kind = calls.length === armed?.at ? armed.kind : undefined;
    calls.push(name);
    return kind;
  };

  const strike = async (
    kind: FaultKind | undefined,
    name: string,
    call: (...given: unknown[]) => unknown,
    args: readonly unknown[] = [],
  ): Promise<unknown> => {
    const [list, ...others] = args;
    if (kind === 'half' && Array.isArray(list)) {
      const taken = Math.floor(list.length / 2);
      if (taken > 0) await call(list.slice(0, taken), ...others);
      return { failed: [...list.keys()].slice(taken) };
    }
    if (kind === 'refused') throw new InjectedFault(`${name}: refused`);
    if (kind === 'killed before') return never();
    const result = await call(...args);
    if (kind === 'answer lost') throw new InjectedFault(`${name}: answer lost`);
    return kind === 'killed after' ? never() : result;
  };

  const strikeList = async function* (kind: FaultKind | undefined, name: string, list: AsyncIterable<unknown>) {
    await strike(kind, name, () => undefined);
    yield* list;
  };

  const isList = (value: unknown): value is AsyncIterable<unknown> =>
    typeof value === 'object' && value !== null && Symbol.asyncIterator in value;

  return {
    calls,
    arm: (at, kind) => {
      armed = { at, kind };
    },
    wrap: (name, port) =>
      new Proxy(port, {
        get: (target, key, receiver) => {
          const method: unknown = Reflect.get(target, key, receiver);
          if (typeof method !== 'function') return method;
          return (...args: unknown[]) => {
            const call = `${name}.${String(key)}`;
            const kind = take(call);
            // A generator does nothing before its first page: making it early is safe.
            if (key === 'scan' || key === 'chunks') {
              const list: unknown = method.apply(target, args);
              return isList(list) ? strikeList(kind, call, list) : list;
            }
            return strike(kind, call, (...given) => method.apply(target, given), args);
          };
        },
      }),
  };
};
