import { onTestFinished } from 'vitest';

type Request = { command: string; input: Record<string, unknown> };
type Answer = Record<string, unknown>;
type Next = () => Promise<Answer>;

/** The part of an AWS client's middleware stack that `intercept` uses. */
type Client = {
  middlewareStack: {
    add(middleware: never, options: { step: 'initialize'; name: string }): void;
    remove(name: string): boolean;
  };
};

/**
 * Puts a function between an AWS client and its service: it sees each request, may change it, may answer by itself or
 * throw, or change the real answer. It is taken out when the test ends, or by what is given back.
 */
export const intercept = (client: unknown, seen: (request: Request, next: Next) => Promise<Answer>): (() => void) => {
  const { middlewareStack } = client as Client;
  const name = 'intercept';
  const middleware =
    (
      next: (args: { input: Answer }) => Promise<{ output: Answer; response: unknown }>,
      context: { commandName: string },
    ) =>
    async (args: { input: Answer }) => {
      let response: unknown = {};
      const output = await seen({ command: context.commandName, input: args.input }, async () => {
        const result = await next(args);
        response = result.response;
        return result.output;
      });
      return { output, response };
    };
  middlewareStack.add(middleware as never, { step: 'initialize', name });
  const stop = () => {
    middlewareStack.remove(name);
  };
  onTestFinished(stop);
  return stop;
};

/** Sums up the capacity units that a client's calls consume until the test ends, by command. */
export const countCapacity = (client: unknown): ReadonlyMap<string, number> => {
  const units = new Map<string, number>();
  intercept(client, async ({ command, input }, next) => {
    input.ReturnConsumedCapacity = 'TOTAL';
    const answer = await next();
    const consumed = [answer.ConsumedCapacity].flat() as ({ CapacityUnits?: number } | undefined)[];
    const sum = consumed.reduce((total, capacity) => total + (capacity?.CapacityUnits ?? 0), 0);
    units.set(command, (units.get(command) ?? 0) + sum);
    return answer;
  });
  return units;
};
