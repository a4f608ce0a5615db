/** Lists of things (`ps`, `images`) in every form that `--format` asks for. */
import { A3sError } from '../errors.ts';
import { renderTable, alignColumns } from './table.ts';
import { Row } from './template/row.ts';
import { escapeHtml, goJson, goString } from './template/value.ts';

export interface Field<T> {
  heading: string;
  value(subject: T): unknown;
}

/** A field that takes an argument in templates: `{{.Label "key"}}`. */
export interface Method<T> {
  heading(argument: string): string;
  value(subject: T, argument: string): string;
}

export interface Listing<T> {
  fields: Readonly<Record<string, Field<T>>>;
  methods?: Readonly<Record<string, Method<T>>>;
  /** The fields of the default table, in order. */
  table: readonly string[];
  /** The field that `-q` prints. */
  id: string;
  /** What template errors call an entry. */
  typeName: string;
}

export interface ListingOptions {
  /** As given: `table`, `table TEMPLATE`, `json`, `TEMPLATE`. */
  format: string | undefined;
  quiet: boolean;
}

/**
 * The whole text to print.
 * @throws A3sError `usage` when the template does not parse or does not run
 */
export async function renderListing<T>(
  listing: Listing<T>,
  subjects: readonly T[],
  { format = 'table', quiet }: ListingOptions,
): Promise<string> {
  const value = (subject: T, key: string): string => goString(listing.fields[key]?.value(subject));
  if (quiet) return lines(subjects.map((subject) => value(subject, listing.id)));
  if (format === 'table' || format === '') {
    const heading = listing.table.map((key) => listing.fields[key]?.heading ?? key);
    return renderTable(
      heading,
      subjects.map((subject) => listing.table.map((key) => value(subject, key))),
    );
  }
  if (format === 'json') {
    return lines(subjects.map((subject) => escapeHtml(goJson(new ListingRow(listing, subject)))));
  }
  return renderTemplate(listing, subjects, format);
}

async function renderTemplate<T>(
  listing: Listing<T>,
  subjects: readonly T[],
  format: string,
): Promise<string> {
  const { compile, TemplateError } = await import('./template/template.ts');
  const isTable = /^table\s/.test(format);
  const source = (isTable ? format.slice('table'.length).trim() : format)
    .replaceAll('\\t', '\t')
    .replaceAll('\\n', '\n');
  let step = 'parse';
  try {
    const template = compile(source, '', `*formatter.${listing.typeName}`);
    step = 'execute';
    const rows = subjects.map((subject) => template.run(new ListingRow(listing, subject)));
    return lines(isTable ? alignColumns([template.heading(headingsOf(listing)), ...rows]) : rows);
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    throw new A3sError('usage', `failed to ${step} template: template: ${error.message}`);
  }
}

function lines(all: readonly string[]): string {
  return all.map((line) => `${line}\n`).join('');
}

/** An entry as templates see it. */
class ListingRow<T> extends Row {
  private readonly listing: Listing<T>;
  private readonly subject: T;

  constructor(listing: Listing<T>, subject: T) {
    super();
    this.listing = listing;
    this.subject = subject;
  }

  look(name: string): { value: unknown } | undefined {
    const { fields, methods = {} } = this.listing;
    if (Object.hasOwn(fields, name)) return { value: fields[name]?.value(this.subject) };
    if (!Object.hasOwn(methods, name)) return undefined;
    return { value: (argument: unknown) => methods[name]?.value(this.subject, String(argument)) };
  }

  toJSON(): Record<string, unknown> {
    const { fields } = this.listing;
    const names = Object.keys(fields).toSorted();
    return Object.fromEntries(names.map((name) => [name, fields[name]?.value(this.subject) ?? null]));
  }
}

function headingsOf<T>(listing: Listing<T>): object {
  const fields = Object.entries(listing.fields).map(([key, field]) => [key, field.heading]);
  const methods = Object.entries(listing.methods ?? {}).map(([key, method]) => [
    key,
    (argument: unknown) => method.heading(String(argument)),
  ]);
  return Object.fromEntries([...fields, ...methods]);
}
