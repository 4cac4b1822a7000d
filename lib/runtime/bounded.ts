/**
 * Runs `task` over `inputs` with at most `concurrency` of them under way, and returns the results in the inputs' order.
 * The first failure is thrown; what had not started by then is never started.
 */
export const mapBounded = async <Input, Result>(
  inputs: readonly Input[],
  concurrency: number,
  task: (input: Input, index: number) => Promise<Result>,
): Promise<Result[]> => {
  const results: Result[] = new Array(inputs.length);
  // One iterator shared by all lanes: each input is taken once.
  const remaining = inputs.entries();
  let failed = false;
  const lane = async () => {
    for (const [index, input] of remaining) {
      if (failed) return;
      try {
        results[index] = await task(input, index);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, inputs.length) }, lane));
  return results;
};
