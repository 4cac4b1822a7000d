import { dynamoAuditLog } from '../../lib/aws/dynamodb/audit-log.ts';
import { dynamoHealthStore, dynamoTokenStore } from '../../lib/aws/dynamodb/connections.ts';
import { dynamoIdStore } from '../../lib/aws/dynamodb/id-store.ts';
import { dynamoRateLimiter } from '../../lib/aws/dynamodb/rate-limiter.ts';
import { dynamoRunStore } from '../../lib/aws/dynamodb/run-store.ts';
import { sqsQueue } from '../../lib/aws/sqs-queue.ts';
import { systemClock } from '../../lib/runtime/clock.ts';
import { hastyClock } from '../fakes/fake-clock.ts';
import { seededRandom } from '../fakes/seeded-random.ts';
import { startDynamo } from './embedded-dynamodb.ts';
import { startSqs } from './embedded-sqs.ts';
import { engineContract } from './engine.contract.ts';

const dynamo = await startDynamo();
const sqs = await startSqs();

const clock = hastyClock();

engineContract('AWS', {
  idStore: async () => dynamoIdStore(await dynamo.createTable(), { clock, random: seededRandom(1) }),
  runs: async () => dynamoRunStore(await dynamo.createTable()),
  tokens: async () => dynamoTokenStore(await dynamo.createTable()),
  audit: async () => dynamoAuditLog(await dynamo.createTable()),
  health: async () => dynamoHealthStore(await dynamo.createTable()),
  queue: async () => {
    const { queueUrl, deadLettersUrl } = await sqs.createQueues(3);
    const options = { clock, random: seededRandom(1) };
    return {
      queue: sqsQueue(sqs.client, queueUrl, options),
      deadLetters: sqsQueue(sqs.client, deadLettersUrl, options),
      maxReceiveCount: 3,
      nowMs: systemClock.nowMs,
      // The server has no other clock than the wall's.
      pass: (sec) => systemClock.sleep(sec * 1000 + 30),
    };
  },
  limiter: async () => {
    const table = await dynamo.createTable();
    const worker = (seed: number) => dynamoRateLimiter(table, { clock, random: seededRandom(seed) });
    return { workers: [worker(1), worker(2)], nowMs: clock.nowMs, advance: clock.advance };
  },
});
