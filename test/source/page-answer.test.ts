import { describe, expect, it } from 'vitest';
import { reactionToFailure, reactionToStatus } from '../../lib/connection/reactions.ts';
import { pageReactions } from '../../lib/source/page-answer.ts';
import { everyCause, everyStatus, tableInWords } from '../fakes/every-end.ts';

describe('the end of a read', () => {
  it('is read, waited out, tried again or final, and every event has its code', () => {
    const words = tableInWords(pageReactions, (reaction) => {
      if (!('code' in reaction)) return reaction.kind;
      const orderly = 'isOrderly' in reaction ? ', but behind the last page' : '';
      return `${reaction.kind} ${reaction.code}${orderly}`;
    });
    expect(words).toEqual([
      '100-199 fail source-refused',
      '200-203 read',
      '204 empty',
      '205-299 read',
      '300-399 fail source-redirected',
      '400 fail source-refused, but behind the last page',
      '401 fail token-refused',
      '402-403 fail source-refused',
      '404 fail source-refused, but behind the last page',
      '405-407 fail source-refused',
      '408 retry source-timeout',
      '409 fail source-refused',
      '410 fail source-refused, but behind the last page',
      '411-415 fail source-refused',
      '416 fail source-refused, but behind the last page',
      '417-421 fail source-refused',
      '422 fail source-refused, but behind the last page',
      '423-424 fail source-refused',
      '425 retry source-unavailable',
      '426-428 fail source-refused',
      '429 wait source-429',
      '430-499 fail source-refused',
      '500-599 retry source-unavailable',
      '600-999 fail source-refused',
      '403 with Retry-After wait source-throttled',
      '503 with Retry-After wait source-503',
      '403 with nothing remaining wait source-throttled',
      'dns retry source-unreachable',
      'refused retry source-unreachable',
      'unreachable retry source-unreachable',
      'tls retry source-unreachable',
      'timeout retry source-timeout',
      'reset retry source-dropped',
      'tooLarge fail answer-too-large',
      'network retry source-dropped',
    ]);
  });

  it('comes with advice wherever a run may end by it', () => {
    const reactions = [
      ...everyStatus.map((status) => reactionToStatus(pageReactions, { status, headers: {} })),
      ...everyCause.map((cause) => reactionToFailure(pageReactions, cause)),
    ];
    for (const reaction of reactions) if ('advice' in reaction) expect(reaction.advice).not.toBe('');
  });
});
