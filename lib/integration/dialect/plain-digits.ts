const FULL_WIDTH = /[\uFF0B\uFF0D\uFF0E\uFF0F\uFF10-\uFF1A]/g;

/**
 * A text as a number or a date is written in ASCII: full-width digits and the signs between them (`+-./:`) become
 * plain ones, spaces at both ends (full-width U+3000 too) fall away.
 */
export const plainDigits = (text: string): string =>
  text.replace(FULL_WIDTH, (character) => String.fromCharCode(character.charCodeAt(0) - 0xfee0)).trim();
