/** Thrown for a flag's value; the parser adds the flag's name. */
export class BadValue extends Error {}
