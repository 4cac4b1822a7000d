import type { Http, HttpAnswer } from '../../lib/connection/http.ts';
import { failed } from '../fakes/fake-http.ts';
import { type Environment, resume } from './lambda.ts';
import { applyTo, postedIn, receive } from './target-server.ts';
import { latencyMs } from './wire.ts';
import type { World } from './world.ts';

export const SOURCE_URL = 'http://okki.simulated';
export const TARGET_URL = 'http://target.simulated';
/** Where the same system is after it has moved. */
export const MOVED_URL = 'http://target-b.simulated';

/** `http://okki-2.simulated/integration-3/…`: the third integration asks the source of the second. */
const PLACE = /^http:\/\/(?<system>okki|target|target-b)(?:-(?<host>\d))?\.simulated(?:\/integration-(?<number>\d))?\//;

/** Which system a request goes to, and of which integration. */
const addressee = ({ all }: World, url: string): { system: string; of: World } => {
  const { system = '', host = '0', number = host } = PLACE.exec(url)?.groups ?? {};
  const of = all[Number(number)];
  if (of === undefined) throw new TypeError(`nobody is at ${url}`);
  return { system, of };
};

/** A slow source is cut off by the client: what it would have said does not matter. */
const isTimeout = (answer: HttpAnswer): boolean => answer.kind === 'failed' && answer.cause === 'timeout';

/** HTTP as one environment reaches it: the source, the target, and the way there and back. */
export const httpOf = (world: World, environment: Environment): Http => {
  const { scheduler, chance } = world;

  const isLost = () => environment.state === 'dead' && chance.happens(0.5);

  return {
    send: (request) =>
      new Promise((resolve) => {
        const { timeoutMs } = request;
        const { system, of } = addressee(world, request.url);
        const answerAfter = (ms: number, answer: HttpAnswer, heard = () => {}) =>
          scheduler.after(Math.min(ms, timeoutMs), () =>
            resume(world, environment, () => {
              heard();
              resolve(ms >= timeoutMs ? failed('timeout') : answer);
            }),
          );
        if (system === 'okki') {
          scheduler.after(latencyMs(world), () => {
            if (isLost()) return;
            const { said, answer } = of.answerAsSource(request);
            const waitMs = chance.whole(20, 500);
            const hear = (heard: HttpAnswer) =>
              answerAfter(isTimeout(heard) ? timeoutMs : waitMs, heard, () => {
                environment.heard = said;
              });
            if (!(answer instanceof Promise)) return hear(answer);
            void answer.then(hear);
            scheduler.woke();
          });
          return;
        }
        const { audit, healthAudit, limitAudit } = of;
        const { name } = of.settings.integration;
        const posted = postedIn(request);
        const key = request.headers['idempotency-key'] ?? '';
        if (of.isUndecided && system === 'target-b') {
          const ids = posted.map(({ id }) => id).join(' ');
          of.broken('nothing is sent to another target before somebody has decided', `ids ${ids}`);
        }
        limitAudit.requestLeaves();
        healthAudit.requestSent(environment, name, posted, key);
        const posts = audit.postsSent(environment, posted, key, timeoutMs);
        scheduler.after(chance.whole(1, 20), () => {
          if (isLost()) return;
          const holdMs = Math.min(...posts.map(({ untilMs }) => untilMs)) - scheduler.nowMs() - 1;
          const reception = receive(of, posted, key, timeoutMs, Math.max(0, holdMs));
          if (reception.applies) {
            scheduler.after(reception.applyAfterMs, () => {
              for (const post of posts) audit.applied(post, applyTo(of, post, key));
            });
          }
          answerAfter(reception.answerAfterMs, reception.answer, () => {
            healthAudit.requestAnswered(name, reception.truth);
            for (const post of posts) audit.answered(post, reception.truth);
          });
        });
      }),
  };
};
