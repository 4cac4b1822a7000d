type Dispatcher = NonNullable<RequestInit['dispatcher']>;
type Dispatch = Dispatcher['dispatch'];
type Handler = Parameters<Dispatch>[1];

/** Under this name the header of a packed answer passes `fetch`, which unpacks by content-encoding. */
export const PACKED_AS = 'x-okki-sync-packed-as';

const leavePacked =
  (dispatch: Dispatch): Dispatch =>
  (options, handler) => {
    const leaving: Handler = {
      onRequestStart: (...given) => handler.onRequestStart?.(...given),
      onRequestUpgrade: (...given) => handler.onRequestUpgrade?.(...given),
      onResponseStart: (controller, status, { 'content-encoding': packedAs, ...headers }, ...rest) =>
        handler.onResponseStart?.(
          controller,
          status,
          packedAs === undefined ? headers : { ...headers, [PACKED_AS]: packedAs },
          ...rest,
        ),
      onResponseData: (...given) => handler.onResponseData?.(...given),
      onResponseEnd: (...given) => handler.onResponseEnd?.(...given),
      onResponseError: (...given) => handler.onResponseError?.(...given),
    };
    return dispatch(options, leaving);
  };

const isDispatcher = (value: unknown): value is Dispatcher =>
  typeof value === 'object' && value !== null && 'compose' in value && typeof value.compose === 'function';

// Where undici, of which Node's fetch is made, keeps the dispatcher that fetch uses.
const GLOBAL_DISPATCHER = Symbol.for('undici.globalDispatcher.1');

let cached: { from: Dispatcher; packed: Dispatcher } | undefined;

/**
 * Node's own dispatcher of requests, but for answers that stay packed: `fetch` fails on plain text that is declared as
 * gzip, and hands out the first part of packed text that breaks off as if it were the whole. Undefined where Node has
 * none: then fetch unpacks.
 */
export const leavingPacked = (): Dispatcher | undefined => {
  const from: unknown = Reflect.get(globalThis, GLOBAL_DISPATCHER);
  if (!isDispatcher(from)) return undefined;
  if (cached?.from !== from) cached = { from, packed: from.compose(leavePacked) };
  return cached.packed;
};
