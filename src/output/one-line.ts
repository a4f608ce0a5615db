/** Text of others on the terminal: it stays on its line, steers nothing, and has an end. */
import { goEscape } from '../go-quote.ts';

/** A line that a person still reads; a name, a path or a reason of Docker's is shorter. */
const LONGEST = 1024;
/** The share of what is left that stands before the gap: the end of a sentence says what is wrong. */
const HEAD = 2 / 3;

/** The text, or its start and its end when it has more than `longest` characters. */
export function abridge(text: string, longest: number): string {
  if (text.length <= longest) return text;
  const characters = Array.from(text);
  if (characters.length <= longest) return text;
  const head = Math.floor((longest - 1) * HEAD);
  return `${characters.slice(0, head).join('')}…${characters.slice(head + 1 - longest).join('')}`;
}

/** Control characters and what turns the direction of text, as Go writes them: the text stays on its line. */
export function escapeControls(text: string): string {
  return text.replace(/[\p{Cc}\u2028-\u202e\u2066-\u2069]/gu, goEscape);
}

/** Several lines of somebody's file: line ends and tabs stay what they are, nothing else steers the terminal. */
export function escapeLines(text: string): string {
  return text.replace(/[^\n\t]+/g, escapeControls);
}

/**
 * One line for a person: at most 1024 characters, control characters and what turns the direction of text escaped as Go
 * writes them.
 */
export function oneLine(text: string): string {
  return abridge(escapeControls(text), LONGEST);
}
