/** Reading JSON that came from outside: nothing is cast, everything is looked at. */

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value if it is a JSON object, else an empty one: missing and misshapen fields then fail the same check. */
export function objectOr(value: unknown): Record<string, unknown> {
  return isObject(value) ? value : {};
}
