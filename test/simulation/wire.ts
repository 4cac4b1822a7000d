import { type Environment, resume } from './lambda.ts';
import type { World } from './world.ts';

/** A request to DynamoDB or SQS failed in the end, after the SDK's own repetitions. */
class ServiceError extends Error {
  override readonly name = 'ServiceError';
  readonly code = 'service';
}

/** How one request ends; `asked`: without having been applied. */
export type Fate = 'answered' | 'refused' | 'forgotten';

/** Most requests take some ms; a few are slow, still faster than the SDK's own time-out (lib/aws/ports.ts). */
export const latencyMs = ({ chance, weather: { rates } }: World): number =>
  rates.stall > 0 && chance.happens(0.01) ? chance.whole(100, 4_000) : chance.whole(1, 12);

/**
 * One request of an environment to a service: some time to the service, `apply` there, some time back. Where the
 * environment dies on the way there, the request may have left it already.
 */
export const request = <Result>(
  world: World,
  environment: Environment,
  fate: Fate,
  apply: () => Result | Promise<Result>,
): Promise<Result> =>
  new Promise((resolve, reject) => {
    const { scheduler, chance } = world;
    scheduler.after(latencyMs(world), () => {
      if (environment.state === 'dead' && chance.happens(0.5)) return;
      if (fate === 'refused') {
        resume(world, environment, () => reject(new ServiceError('refused')));
        return;
      }
      const result = apply();
      // A result may be a promise that is settled without further requests.
      if (result instanceof Promise) result.catch(() => {});
      scheduler.after(latencyMs(world), () =>
        resume(world, environment, () => {
          if (fate === 'answered') resolve(result);
          else reject(new ServiceError('answer lost'));
        }),
      );
    });
  });
