import type { Chance } from './chance.ts';
import type { Settings } from './settings.ts';

/** How a source answers a page behind its last one. */
type PastEnd = 'empty' | '204' | '404' | '416' | 'refusal' | 'null' | 'no list';

/** How a source speaks while nothing fails. */
export type Manners = {
  pastEnd: PastEnd;
  /** Each page says whether more come. */
  tellsMore: boolean;
  refusesTokenBy: 'status 401' | 'status 403' | 'code in a 200';
  /** Its ids have more digits than a double holds. */
  hasLongIds: boolean;
  /** The list breaks off after 1,000 rows without a word, at times. */
  hasCeiling: boolean;
  /** In which bytes a page with all its rows comes. */
  bytes: 'plain' | 'declared GBK' | 'gzip only in its header';
};

/** What the pages of a source say of how many rows there are: of the list, or of the page itself. */
export const announcedBy = ({ paging, capsPages }: Pick<Settings, 'paging' | 'capsPages'>) => ({
  announcesTotal: paging === 'numbered' || paging === 'offset',
  announcesPages: paging === 'numbered-without-total' && capsPages,
});

/** Where servers cut lists off. */
export const CEILING = 1_000;

/** Of pages that announce no total; a list of so many rows takes its time. */
export const drawCeiling = (chance: Chance, paging: Settings['paging']): boolean =>
  paging === 'numbered-without-total' && chance.happens(0.08);

/** `announces`: the pages say how many rows there are, rightly or not. */
export const mannersOf = (chance: Chance, announces: boolean, hasCeiling: boolean): Manners => {
  const tellsMore = chance.happens(0.3);
  // Where nothing announces an end, a refusal is none.
  const pastEnd: PastEnd =
    announces || tellsMore
      ? chance.pick(['empty', 'empty', '204', '404', '416', 'refusal', 'null', 'no list'])
      : chance.pick(['empty', '204']);
  return {
    pastEnd,
    tellsMore,
    refusesTokenBy: chance.pick(['status 401', 'status 403', 'code in a 200']),
    hasLongIds: chance.happens(0.3),
    hasCeiling,
    bytes: chance.pick(['plain', 'plain', 'declared GBK', 'gzip only in its header']),
  };
};
