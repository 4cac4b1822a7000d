import type { LatencyServers } from './latency-servers.ts';
import type { LoaderBatch } from './loader-batch.ts';

/** Something that loads a batch of messages; `open` is called once per measured series. */
export type Loader = {
  name: string;
  /** As `NAME:HASHKEY:RANGEKEY`. */
  tables: readonly string[];
  open(servers: LatencyServers): Promise<{ load(batch: LoaderBatch): Promise<void>; close(): void }>;
  /** The batch's time, in ms, if nothing but the injected latencies took time and what must wait waited. */
  idealMs(records: number): number;
};
