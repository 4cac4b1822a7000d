/** Why a message waits in the dead-letter queue; what each reason says is in `deadLetterWords`. */
export const deadLetterReasons = ['rejected', 'uncertain', 'exhausted', 'unreadable', 'crashed', 'invalid'] as const;
export type DeadLetterReason = (typeof deadLetterReasons)[number];

type Words = { means: string; act: string };

/** What each reason means and what to do about it, for the documentation (Markdown) and for screens. */
export const deadLetterWords: Readonly<Record<DeadLetterReason, Readonly<Record<'en' | 'zh', Words>>>> = {
  rejected: {
    en: {
      means: 'the target refused this content, and would again; nothing sends it until it changes or you replay it',
      act: 'mend the target and replay; or mend the record in the source: the next run sends the new content',
    },
    zh: {
      means: '目标拒绝了这份内容,再发也一样;内容变化或人工重放之前不再发送',
      act: '修好目标后重放;或在源里改正:下次运行会发送新内容',
    },
  },
  uncertain: {
    en: {
      means: 'nobody knows whether the request was applied, and the integration says `park`',
      act: 'look into the target, then `dlq resolve`',
    },
    zh: { means: '不知道请求是否生效,且集成配置为 `park`', act: '到目标系统里查,然后 `dlq resolve`' },
  },
  exhausted: {
    en: {
      means: 'given up after `maxAttempts` failures',
      act: 'mend the cause, replay; the next run sends it as well, and `dlq list` then says "loaded since": a replay only deletes those letters',
    },
    zh: {
      means: '失败 `maxAttempts` 次后放弃',
      act: '消除原因后重放;下次运行也会发送,此后 `dlq list` 会注明“已写入”,重放只删除这些死信',
    },
  },
  unreadable: {
    en: {
      means: 'not a message of this program, or of an integration that is not deployed; its body is kept',
      act: 'deploy the integration and replay, or discard',
    },
    zh: { means: '不是本程序的消息,或集成没有部署;原文保留', act: '部署该集成后重放,或丢弃' },
  },
  invalid: {
    en: {
      means:
        'a row of a list of changes that could not be read, and that its window has moved on without; the row is kept as it came',
      act: 'mend the row in the source, so that it counts as changed, or run with `--full-refresh`; then discard the letter',
    },
    zh: {
      means: '增量列表中无法读取的一行,窗口已前移;原样保留',
      act: '在源里改正该行(使其成为新的变更)或以 `--full-refresh` 运行,然后丢弃死信',
    },
  },
  crashed: {
    en: {
      means: 'SQS moved it here after ten receives that no worker ever answered',
      act: 'read the log of `load` for the id; replay alone with `--id`',
    },
    zh: {
      means: '收取十次都没有任何处理者答复,由 SQS 移入',
      act: '在 `load` 的日志里查该 id;用 `--id` 单独重放',
    },
  },
};
