/** An object whose fields are computed when a template reads them: most templates read few of many. */
export abstract class Row {
  /** A field's value, or a method as a function; undefined when there is none of that name. */
  abstract look(name: string): { value: unknown } | undefined;

  /** The fields, for `{{json .}}`. */
  abstract toJSON(): Record<string, unknown>;
}
