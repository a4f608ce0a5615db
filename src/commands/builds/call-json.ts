/** `--call=…,format=json`: the answers in the JSON of BuildKit's subrequests. */
import type { BuildDescription, LintResult } from '../../engine/build-call.ts';

interface Lines {
  first: number;
  last: number;
}

export function callJson(description: BuildDescription): string {
  return `${JSON.stringify(value(description), undefined, 2)}\n`;
}

function value(description: BuildDescription): unknown {
  const data = Buffer.from(description.dockerfile.text).toString('base64');
  switch (description.method) {
    case 'lint':
      return findings(description.findings, description.dockerfile.file, data);
    case 'outline': {
      const { name, description: text, args, secrets, ssh } = description.outline;
      return {
        ...some({ name, description: text }),
        ...list(
          'args',
          args.map(({ lines, name, ...rest }) => ({ name, ...some(rest), location: location(lines) })),
        ),
        ...list('secrets', secrets.map(needed)),
        ...list('ssh', ssh.map(needed)),
        sources: [data],
      };
    }
    case 'targets':
      return {
        targets: description.targets.map(({ lines, ...target }) => ({
          ...some({ ...target }),
          location: location(lines),
        })),
        sources: [data],
      };
    default:
      return description satisfies never;
  }
}

function findings({ warnings, error, violation }: LintResult, file: string, data: string): unknown {
  const failure = error ?? violation;
  const found = warnings.map(({ rule, description, url, message, lines }) => ({
    ruleName: rule,
    ...some({ description, url, detail: message }),
    location: { ranges: lines.map(([first, last]) => range({ first, last })) },
  }));
  return {
    warnings: found.length === 0 ? null : found,
    sources: [{ filename: file, language: 'Dockerfile', data }],
    ...(failure === undefined
      ? {}
      : { buildError: { message: failure.message, location: failure.lines ? location(failure.lines) : {} } }),
  };
}

function needed({ name, required, lines }: { name: string; required: boolean; lines: Lines }): unknown {
  return { name, ...some({ required }), location: location(lines) };
}

function location(lines: Lines): unknown {
  return { ranges: [range(lines)] };
}

function range({ first, last }: Lines): unknown {
  return { start: { line: first }, end: { line: last } };
}

/** Without what is empty, as Go's `omitempty`. */
function some(fields: Record<string, string | boolean>): Record<string, string | boolean> {
  return Object.fromEntries(Object.entries(fields).filter(([, field]) => field !== '' && field !== false));
}

function list(name: string, items: unknown[]): Record<string, unknown[]> {
  return items.length === 0 ? {} : { [name]: items };
}
