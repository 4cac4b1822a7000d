import { isJsonObject, type JsonObject, stringifyJson } from '../../json/json.ts';
import { valueAt } from '../../json/path.ts';
import { type Finding, warning } from '../check/shape.ts';
import { leavesOf, type Requests } from '../dialect/request-fields.ts';

/** Words in which exports describe a page number that counts from 0. */
const FROM_ZERO = [
  /[从由自]\s*(?:第\s*)?[0０零]\s*(?:页\s*)?(?:开始|始|起|计)/,
  /(?:^|\D)0\s*(?:为|是|表示|代表|即)\s*(?:第\s*[1一]\s*页|首页)/,
  /(?:首页|第[1一]页|起始页?|起始值|默认值?)\s*(?:(?:为|是|[:：=])\s*)?(?:0(?![\d.])|[０零])/,
  /\b(?:0|zero)[-\s]?(?:based|indexed)\b/i,
  /\b(?:start|begin|count)(?:s|ing|ed)?\s+(?:at|from|with)\s+(?:0|zero)\b/i,
  /\bfirst page (?:is|has|=)\s*(?:number\s+)?(?:0|zero)\b/i,
  /\b0\s*(?:is|=)\s*(?:the\s+)?first\s+page\b/i,
  /\bfrom\s+(?:0|zero)\b/i,
];

const trees = ['request', 'otherRequest'] as const;

/**
 * A warning where a list is asked for from page 1 on by a field that is described as counting from 0. `isStated`: the
 * file states the first page itself. Pure.
 */
export const pageStartFindings = (
  metadata: JsonObject,
  requests: Requests['source'],
  paging: JsonObject,
  isStated: boolean,
): Finding[] => {
  if (isStated || paging.kind !== 'pageNumber' || (paging.firstPage ?? 1) !== 1) return [];
  return trees.flatMap((tree) =>
    leavesOf(requests[tree])
      .filter(({ path }) => path === paging.pageParam)
      .flatMap(({ at }): Finding[] => {
        const entry = valueAt(metadata, [tree, ...at]);
        if (!isJsonObject(entry)) return [];
        const key = ['describe', 'label'].find((name) => {
          const words = entry[name];
          return typeof words === 'string' && FROM_ZERO.some((pattern) => pattern.test(words));
        });
        if (key === undefined) return [];
        const fromZero = stringifyJson({ ...paging, firstPage: 0 });
        return [
          warning(
            ['source', 'metadata', tree, ...at, key],
            `a page number that counts from 1, as the list is asked for; if the first page is 0, source.paging: ${fromZero}`,
          ),
        ];
      }),
  );
};
