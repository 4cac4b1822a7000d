import { wordsOf } from '../../lib/integration/check/keys.ts';
import { conditionLogics } from '../../lib/integration/dialect/condition.ts';
import { formulaFunctions } from '../../lib/integration/dialect/formula.ts';
import { fieldKeys, type Reading, sourceKeys, targetKeys } from '../../lib/integration/dialect/keys.ts';
import { parserNames } from '../../lib/integration/dialect/parsers.ts';
import { pipeNames } from '../../lib/integration/dialect/template.ts';
import { variableNames } from '../../lib/integration/dialect/variables.ts';
import { fieldTypes, operations } from '../../lib/integration/dialect/words.ts';
import { DEFAULT_PAGE_SIZE, pagingFamilies, sizeFields } from '../../lib/integration/fill/paging-families.ts';
import { profileNames } from '../../lib/integration/fill/profile.ts';
import { chineseWords } from './dialect-words.ts';
import { code, type Language, table, withPart } from './markdown.ts';

/** Where the tables stand in the reference. */
export const dialectFiles: Readonly<Record<Language, string>> = { en: 'docs/dialect.md', zh: 'docs/dialect.zh-CN.md' };

const asWords: Readonly<Record<Language, Readonly<Record<Reading['as'], string>>>> = {
  en: { honoured: 'honoured', noted: 'noted', ignored: 'ignored', refused: 'refused' },
  zh: { honoured: '执行', noted: '仅说明', ignored: '忽略', refused: '拒绝' },
};

const codes = (names: readonly string[]): string => names.map(code).join(', ');

const keyTable = (
  block: keyof typeof chineseWords,
  readings: Readonly<Record<string, Reading>>,
  language: Language,
): string =>
  table(
    language === 'en' ? ['key', 'reading', 'what or why'] : ['键', '处理', '说明'],
    Object.entries(readings).map(([key, reading]) => {
      const unless = reading.as === 'honoured' && reading.unless !== undefined ? reading.unless : undefined;
      const words = language === 'en' ? wordsOf(reading) : (chineseWords[block][key] ?? '');
      const exception = language === 'en' ? `; not with ${code(unless ?? '')}` : `;有 ${code(unless ?? '')} 时不用`;
      return [code(key), asWords[language][reading.as], `${words}${unless === undefined ? '' : exception}`];
    }),
  );

const titles: Readonly<Record<Language, readonly string[]>> = {
  en: ['Source block', 'Target block', 'An entry of `request`', 'Words', 'Paging by the names of request fields'],
  zh: ['源块', '目标块', '`request` 的一项', '词表', '按请求字段名识别的分页'],
};

/** The generated part of the dialect's reference. */
const dialectTables = (language: Language): string => {
  const [source, target, field, words, paging] = titles[language];
  const isEnglish = language === 'en';
  return [
    `## ${source} \`source.metadata\``,
    keyTable('source', sourceKeys, language),
    `## ${target} \`target.metadata\``,
    keyTable('target', targetKeys, language),
    `## ${field}`,
    keyTable('field', fieldKeys, language),
    `## ${words}`,
    table(isEnglish ? ['place', 'known'] : ['位置', '可用'], [
      [code('operation.method') + (isEnglish ? ' of a source' : '(源)'), codes(operations.source)],
      [code('operation.method') + (isEnglish ? ' of a target' : '(目标)'), codes(operations.target)],
      [code('type'), codes(Object.keys(fieldTypes))],
      [code('parser.name'), codes(parserNames)],
      [code('condition[][].logic'), codes(conditionLogics)],
      [isEnglish ? 'variables' : '变量', codes(variableNames)],
      [isEnglish ? 'pipes' : '管道', codes(pipeNames.map((name) => `|${name}`))],
      [
        code('_function'),
        codes([
          '+',
          '-',
          '*',
          '/',
          '%',
          '( )',
          '< > <= >= == !=',
          'and or not',
          '?:',
          'CASE … WHEN … THEN … ELSE … END',
        ]),
      ],
      [isEnglish ? 'functions' : '函数', codes(formulaFunctions)],
      [code('profile'), codes(profileNames)],
    ]),
    `## ${paging}`,
    table(
      isEnglish
        ? ['kind', 'field that pages (case, `_`, `-`, `$` aside)']
        : ['类型', '翻页字段(不计大小写与 `_`、`-`、`$`)'],
      pagingFamilies.map(({ kind, position }) => [code(kind), codes(position)]),
    ),
    isEnglish
      ? `Page size: ${codes(sizeFields)}, else \`pagination.pageSize\`, else ${DEFAULT_PAGE_SIZE}.`
      : `每页条数:${codes(sizeFields)},否则 \`pagination.pageSize\`,否则 ${DEFAULT_PAGE_SIZE}。`,
  ].join('\n\n');
};

/** The reference with its tables brought up to date. Throws RangeError where its marks are missing. */
export const withDialectTables = (text: string, language: Language): string =>
  withPart(text, 'tables of the dialect', dialectTables(language));
