/** `--format` of the commands that list things. */
export const formatFlag = {
  kind: 'string',
  help: `Format output using a custom template:
'table':            Print output in table format with column headers (default)
'table TEMPLATE':   Print output in table format using the given Go template
'json':             Print in JSON format
'TEMPLATE':         Print output using the given Go template`,
} as const;

/** `--format` of the commands that show one thing. */
export const templateFlag = {
  kind: 'string',
  short: 'f',
  help: `Format output using a custom template:
'json':             Print in JSON format
'TEMPLATE':         Print output using the given Go template`,
} as const;
