import {
  type ExecutionEnvironment,
  type FunctionConfiguration,
  type InvocationEnd,
  startExecutionEnvironment,
} from './execution-environment.ts';
import { InitError } from './runtime-api.ts';

/** A deployed function with one environment at a time: events wait for each other, a dead environment is replaced. */
export type DeployedFunction = {
  /** `traceHeader`: the chain of messages that the event came by. */
  invoke(event: unknown, traceHeader?: string): Promise<InvocationEnd>;
  /** The log of all its environments so far, by line. */
  log(): string[];
  stop(): Promise<void>;
};

export const deployFunction = (configuration: FunctionConfiguration): DeployedFunction => {
  const environments: ExecutionEnvironment[] = [];
  let last: Promise<unknown> = Promise.resolve();

  const run = async (event: unknown, traceHeader: string | undefined): Promise<InvocationEnd> => {
    try {
      let current = environments.at(-1);
      if (current === undefined || !current.alive()) {
        current = await startExecutionEnvironment(configuration);
        environments.push(current);
      }
      return await current.invoke(event, traceHeader);
    } catch (error) {
      // Lambda answers the invocation with what the runtime said of its start.
      if (error instanceof InitError) return { kind: 'failed', error: error.reported };
      throw error;
    }
  };

  return {
    invoke: (event, traceHeader) => {
      const end = last.then(() => run(event, traceHeader));
      last = end.catch(() => {});
      return end;
    },
    log: () => environments.flatMap((environment) => environment.log()),
    stop: async () => {
      await Promise.all(environments.map((environment) => environment.stop()));
    },
  };
};
