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
  /** In which bytes a page with all its rows comes. */
  bytes: 'plain' | 'declared GBK' | 'gzip only in its header';
};

/** What the pages of a source say of how many rows there are: of the list, or of the page itself. */
export const announcedBy = ({ paging, capsPages }: Pick<Settings, 'paging' | 'capsPages'>) => ({
  announcesTotal: paging === 'numbered' || paging === 'offset',
  announcesPages: paging === 'numbered-without-total' && capsPages,
});

/** `announces`: the pages say how many rows there are, rightly or not. */
export const mannersOf = (chance: Chance, announces: boolean): Manners => {
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
    bytes: chance.pick(['plain', 'plain', 'declared GBK', 'gzip only in its header']),
  };
};
