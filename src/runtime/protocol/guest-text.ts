/** Words of a guest that a person will read. */

const MAX_TEXT = 4096;

/**
 * The text, cut to 4096 characters and without control characters: on a terminal those would move its cursor, change its
 * title or worse. Empty for what is no string.
 */
export function guestText(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, MAX_TEXT).replaceAll(/\p{Cc}/gu, '?') : '';
}
