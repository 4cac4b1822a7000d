import { isTombstone } from '../../lib/idcheck/hash.ts';
import type { IdCheck, Trouble } from '../../lib/idcheck/item.ts';
import { addTo, type Evidence, isUnsafe, type Post, type Settled } from './evidence.ts';
import { type Environment, workerOf } from './lambda.ts';
import { itemOf } from './stores.ts';
import type { Posted, Truth } from './target-server.ts';
import type { World } from './world.ts';

/** Whether a write says how content ended: loaded, or in trouble of any kind. */
const speaksOf = (hash: string, before: IdCheck | undefined, { loaded, trouble }: IdCheck): boolean =>
  (loaded?.hash === hash && loaded.atMs !== before?.loaded?.atMs) ||
  (trouble?.hash === hash && trouble.sinceMs !== before?.trouble?.sinceMs);

/** A worker's word that the request was surely not applied. */
const deniesApplication = (settled: Settled | undefined): boolean =>
  settled === 'released' || settled === 'rejected' || settled === 'exhausted';

/** Whether content was loaded, and nothing was sent since that tells the target to delete it. */
const isLoadedStill = (posts: readonly Post[]): boolean => {
  const last = posts.findLast(({ settled, deletes }) => deletes || settled === 'loaded');
  return last !== undefined && !last.deletes;
};

/** What a settling write says of the POST under its claim. */
const settledAs = (before: IdCheck, after: IdCheck): Settled => {
  if (after.trouble !== undefined && after.trouble.sinceMs !== before.trouble?.sinceMs) return after.trouble.kind;
  const { claim } = before;
  const isLoaded = after.loaded?.hash === claim?.hash && after.loaded?.atMs !== before.loaded?.atMs;
  const isDeleted = after.deleted?.hash === claim?.hash && after.deleted?.atMs !== before.deleted?.atMs;
  return claim !== undefined && (isLoaded || isDeleted) ? 'loaded' : 'released';
};

const isDoubtful = (trouble: Trouble | undefined): boolean =>
  trouble?.kind === 'uncertain' || trouble?.kind === 'parked';

const describe = ({ loaded, deleted, claim, trouble, doubt }: IdCheck): string =>
  [
    claim && `claimed v${claim.versionMs}`,
    loaded && `loaded v${loaded.versionMs}${loaded.unsureSinceMs === undefined ? '' : ', unsure'}`,
    deleted && `deleted v${deleted.versionMs}`,
    trouble && `${trouble.kind} v${trouble.versionMs}`,
    doubt && 'in doubt',
  ]
    .filter((word) => word !== undefined)
    .join(', ');

/** Watches what is POSTed, what the target makes of it, and what idCheck is told of it. */
export const auditTarget = (world: World, evidence: Evidence) => {
  const { scheduler, settings } = world;
  const { policy } = settings;
  const { posts, owners, parents, doubtedMs, letters, replayedMs, refreshVersionsMs, raced } = evidence;
  /** Those that had a request, and so a key, to themselves. */
  const alone = new WeakSet<Post>();
  /** Id → the claim that was taken over last: nobody knows whether its content was sent. */
  const vanished = new Map<string, { hash: string; atMs: number }>();
  /** What each id holds at the target. */
  const lastApplied = new Map<string, Post>();

  const must = (isSo: boolean, rule: string, id: string, more = ''): void => {
    if (!isSo && !raced.has(id)) world.broken(rule, `id ${id}${more}`);
  };
  /** Rules that hold as far as clocks agree on what is over: where they do not, two may be at one record. */
  const mustInTime = (isSo: boolean, rule: string, id: string): void => {
    if (!isSo && settings.clocks !== 'right') raced.add(id);
    else must(isSo, rule, id);
  };

  const checkPost = (post: Post, isAlone: boolean): void => {
    const { id, hash, sentMs, worker, key } = post;
    const item = itemOf(world.idTable, id);
    const claim = item?.claim;
    const isOwn = claim !== undefined && owners.get(claim.owner) === worker;
    mustInTime(isOwn, 'no POST without a claim of its own', id);
    must(!isOwn || claim.hash === hash, 'a claim is for the content that is sent', id);
    const isGiven = post.deletes || world.groups.given.has(`${id} ${post.name}`);
    must(isGiven, 'what is sent is what the source had', id, `, ${post.name}`);
    if (isAlone) alone.add(post);
    const isThere = (parentId: string) => {
      const parent = itemOf(world.idTable, parentId);
      return parentId === '' || parent?.loaded !== undefined || parent?.deleted !== undefined;
    };
    const mayGo = settings.tree !== 'reject' || item?.doubt !== undefined || post.deletes;
    const waitsFor = [...(parents.get(`${id} ${hash}`) ?? [''])];
    must(mayGo || waitsFor.some(isThere), 'no record is sent before its parent is loaded', id, `, ${waitsFor}`);
    const earlier = posts.get(id) ?? [];
    const last = earlier.at(-1);
    if (last === undefined) return;
    if (isAlone) {
      const between = vanished.get(id);
      const hadOther = between !== undefined && between.hash !== hash && between.atMs > last.sentMs;
      const isRepeat =
        !hadOther && alone.has(last) && last.hash === hash && last.settled !== 'loaded' && isUnsafe(last);
      must(
        !isRepeat || last.key === key,
        'content sent again after an unknown outcome has the same Idempotency-Key',
        id,
      );
      const firstMs = Math.max(-1, ...earlier.flatMap((one) => (one.key === key ? (one.appliedMs ?? []) : [])));
      const isBack = firstMs >= 0 && earlier.some((one) => one.hash !== hash && (one.appliedMs ?? -1) > firstMs);
      must(!isBack, 'content that comes back after other content has another Idempotency-Key', id);
    }
    const isUnderWay = sentMs < last.untilMs;
    mustInTime(last.settled !== undefined || !isUnderWay, 'two POSTs of one id are never under way at once', id);
    mustInTime(
      !isUnsafe(last) || last.hash === hash || !isUnderWay,
      'other content waits while a POST of unknown outcome may still be applied',
      id,
    );
    const isRefresh = refreshVersionsMs.has(post.versionMs) && !policy.idCheck;
    const isDoubted = (doubtedMs.get(id) ?? 0) >= last.sentMs;
    must(
      last.settled !== 'loaded' || last.hash !== hash || isDoubted || isRefresh,
      'loaded content is not sent again',
      id,
    );
    const mayBeDeleted = isTombstone(item?.doubt?.hash ?? '');
    must(
      !policy.idCheck || post.deletes || mayBeDeleted || !isLoadedStill(earlier),
      'with idCheck a loaded id is not overwritten',
      id,
    );
    mustInTime(
      policy.onUncertain !== 'park' ||
        !isUnsafe(last) ||
        (replayedMs.get(id) ?? []).some((replayMs) => replayMs >= last.sinceMs),
      'with park nothing is sent after a POST of unknown outcome, but by replay',
      id,
    );
  };

  const checkSettled = (post: Post, settled: Settled): void => {
    post.settled = settled;
    const { id, appliedMs, truth } = post;
    const wasApplied = appliedMs !== undefined || truth === 'applied-before';
    must(settled !== 'loaded' || wasApplied, 'what is settled as loaded has been applied', id);
    const isParked = settled === 'parked' || settled === 'uncertain';
    must(truth !== 'unreadable' || settled === 'parked', 'an answer that nobody can read is left to a person', id);
    must(
      truth !== 'under-way' || isParked || settled === 'released',
      'a 409 to a try that is under way is no refusal',
      id,
      `, ${settled}`,
    );
    if (!deniesApplication(settled)) return;
    must(appliedMs === undefined, 'what is settled as not applied was not applied', id, `, ${settled}`);
    must(truth !== 'uncertain', 'an unknown outcome is never settled as a failure', id, `, ${settled}`);
  };

  /** Written down as loaded without a POST: that the target has it is the word of who takes over. */
  const adopted = (before: IdCheck | undefined, { id, loaded }: IdCheck): void => {
    if (loaded === undefined || loaded.atMs === before?.loaded?.atMs) return;
    must(before?.loaded === undefined, 'what is loaded is never taken over', id);
    must(!isDoubtful(before?.trouble), 'what is in doubt is never taken over', id);
    addTo(world.rows, id, { name: 'taken over', hash: loaded.hash });
  };

  return {
    /** A request with these records leaves its environment. */
    postsSent: (environment: Environment, posted: readonly Posted[], key: string, timeoutMs: number): Post[] => {
      const sentMs = scheduler.nowMs();
      return posted.map((one) => {
        const claim = itemOf(world.idTable, one.id)?.claim;
        const post: Post = {
          ...one,
          ...(one.deletes && claim ? { hash: claim.hash } : {}),
          worker: workerOf(environment),
          key,
          versionMs: claim?.versionMs ?? 0,
          sinceMs: claim?.sinceMs ?? sentMs,
          sentMs,
          // By the worker's own clock.
          untilMs: Math.max(sentMs + timeoutMs, (claim?.untilMs ?? 0) - environment.clockOffMs),
        };
        world.note(environment.name, 'posts', one.id, one.name);
        checkPost(post, posted.length === 1);
        addTo(posts, one.id, post);
        return post;
      });
    },

    /** The target applied a record; `isChange`: it was not a repetition that the target knew. */
    applied: (post: Post, isChange: boolean): void => {
      const { id, name, hash, settled, versionMs } = post;
      world.note('target', isChange ? 'applies' : 'has already', id, name);
      post.appliedMs = scheduler.nowMs();
      must(!deniesApplication(settled), 'what is settled as not applied is not applied later', id);
      const last = lastApplied.get(id);
      if (isChange) lastApplied.set(id, post);
      const isOverNewer = last !== undefined && last.versionMs > versionMs && last.hash !== hash;
      mustInTime(!isChange || !isOverNewer, 'older content never overwrites newer', id);
    },

    /** The worker hears how its POST ended. */
    answered: (post: Post, truth: Truth): void => {
      post.truth = truth;
      if (truth === 'applied-before') world.reach('applied before, and said so');
      world.note(post.worker.replace(/\/.*/, ''), 'hears', post.id, truth);
    },

    itemWritten: (environment: Environment, before: IdCheck | undefined, after: IdCheck): void => {
      const worker = workerOf(environment);
      const nowMs = scheduler.nowMs();
      const { id, claim, trouble } = after;
      world.note(environment.name, 'writes', id, describe(after));
      evidence.lastWriteMs = nowMs;
      // What a person says is taken at its word, and whoever waited for it goes on.
      if (environment.name.startsWith('operator')) {
        addTo(replayedMs, id, nowMs);
        const last = posts.get(id)?.at(-1);
        if (last !== undefined && after.loaded?.hash === last.hash) last.settled = 'loaded';
        return;
      }
      if (claim === undefined && before?.claim === undefined) adopted(before, after);
      const held = before?.claim;
      const holder = held && owners.get(held.owner);
      const isOver = held !== undefined && held.untilMs <= nowMs && settings.clocks === 'right';
      const isOfOther = held !== undefined && !isOver && holder !== worker;
      mustInTime(!isOfOther, "nobody overwrites another's live claim", id);
      const isOlder = (after.loaded?.versionMs ?? Number.POSITIVE_INFINITY) < (before?.loaded?.versionMs ?? 0);
      must(!isOlder, 'a newer result is never overwritten by an older one', id);
      const isWritten = trouble?.letterMs === undefined || letters.has(`${id} ${trouble.hash}`);
      must(isWritten, 'idCheck speaks of a dead letter only once it is in the queue', id);

      const isTakenOver = held !== undefined && claim !== undefined && claim.owner !== held.owner;
      if (isTakenOver) vanished.set(id, { hash: held.hash, atMs: nowMs });
      if (isTakenOver || trouble?.kind === 'parked' || trouble?.kind === 'uncertain') doubtedMs.set(id, nowMs);
      if (claim !== undefined) {
        if (claim.owner !== held?.owner) owners.set(claim.owner, worker);
        return;
      }
      const post = posts.get(id)?.findLast((one) => one.worker === worker);
      const isOpen = post !== undefined && post.settled === undefined;
      const isLost = isOpen && holder !== worker && speaksOf(post.hash, before, after);
      mustInTime(!isLost, 'who has lost its claim settles nothing', id);
      if (before === undefined || held === undefined || holder !== worker) return;
      if (post?.settled === undefined && post?.sinceMs === held.sinceMs) checkSettled(post, settledAs(before, after));
    },
  };
};
