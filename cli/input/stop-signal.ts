const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
/** What a shell reports of a process that Ctrl-C ended. */
const EXIT_INTERRUPTED = 130;

/** Ctrl-C, or a supervisor's request to end. */
export type StopSignal = {
  isStopped(): boolean;
  /** The work's result, or `stopped` once the signal comes; the work itself goes on and its failure is of no interest then. */
  unlessStopped<Result>(work: Promise<Result>): Promise<Result | 'stopped'>;
  release(): void;
};

/** Listens from now on. The first signal asks to end in order; the second ends the process at once. */
export const stopSignal = (): StopSignal => {
  const stopped = Promise.withResolvers<'stopped'>();
  let isStopped = false;
  const onSignal = () => {
    if (isStopped) process.exit(EXIT_INTERRUPTED);
    isStopped = true;
    stopped.resolve('stopped');
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return {
    isStopped: () => isStopped,
    unlessStopped: async (work) => {
      work.catch(() => {});
      return Promise.race([work, stopped.promise]);
    },
    release: () => {
      for (const signal of SIGNALS) process.off(signal, onSignal);
    },
  };
};
