/** Controls, halves of a character, line separators, and what turns the direction of writing (attacks by bidi text). */
export const UNPRINTABLE = /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

/** A character as JSON escapes it. */
export const escapedUnit = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** A text from outside on one line, what would steer a terminal or make a line of its own as JSON escapes it. */
export const printable = (text: string): string => text.replace(UNPRINTABLE, escapedUnit);
