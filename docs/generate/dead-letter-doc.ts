import { deadLetterReasons, deadLetterWords } from '../../lib/messages/dead-letter-reasons.ts';
import { code, type Language, table, withPart } from './markdown.ts';

/** Where the table of dead-letter reasons stands; every other page links there. */
export const deadLetterFiles: Readonly<Record<Language, string>> = {
  en: 'docs/runbook.md',
  zh: 'docs/runbook.zh-CN.md',
};

const headers: Readonly<Record<Language, readonly string[]>> = {
  en: ['reason', 'means', 'do'],
  zh: ['原因', '含义', '处理'],
};

/** The runbook with its table of dead-letter reasons brought up to date. Throws RangeError where its marks are missing. */
export const withDeadLetterReasons = (text: string, language: Language): string => {
  const rows = deadLetterReasons.map((reason) => {
    const { means, act } = deadLetterWords[reason][language];
    return [code(reason), means, act];
  });
  return withPart(text, 'dead-letter reasons', table(headers[language], rows));
};
