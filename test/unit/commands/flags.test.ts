import { describe, expect, test } from 'vitest';

import { parseFlags } from '../../../src/commands/flags/parse.ts';
import { flagUsages } from '../../../src/commands/flags/help.ts';
import { refused } from '../../../src/commands/flags/spec.ts';
import { A3sError } from '../../../src/errors.ts';

const flags = {
  interactive: { kind: 'bool', short: 'i', help: 'Keep STDIN open even if not attached' },
  tty: { kind: 'bool', short: 't', help: 'Allocate a pseudo-TTY' },
  detach: { kind: 'bool', short: 'd', help: 'Run in background' },
  rm: { kind: 'bool', help: 'Remove' },
  publish: { kind: 'list', short: 'p', help: 'Publish' },
  env: { kind: 'env', short: 'e', help: 'Environment' },
  workdir: { kind: 'string', short: 'w', help: 'Directory' },
  hostname: { kind: 'string', short: 'h', help: 'Host name' },
  memory: { kind: 'bytes', short: 'm', help: 'Memory' },
  cpus: { kind: 'decimal', help: 'CPUs' },
  'stop-timeout': { kind: 'int', help: 'Seconds' },
  filter: { kind: 'filter', short: 'f', help: 'Filter' },
  attach: { kind: 'stream', short: 'a', help: 'Attach' },
  label: { kind: 'label', short: 'l', help: 'Label' },
  dns: { kind: 'address', help: 'DNS' },
  network: { kind: 'network', help: 'Network' },
  net: { kind: 'network', help: '', aliasOf: 'network' },
  restart: { kind: 'string', help: '', default: 'no', refused: true },
  ...refused('list', 'cap-add'),
  ...refused('bool', 'privileged'),
} as const;

const parse = (...args: string[]) => parseFlags(flags, args, { interspersed: false });

/** The message and exit status with which the arguments are refused. */
function refusal(...args: string[]): [string, number | undefined] {
  try {
    parse(...args);
  } catch (error) {
    if (error instanceof A3sError) return [error.message, error.exitStatus];
    throw error;
  }
  throw new Error(`not refused: ${args.join(' ')}`);
}

describe('forms', () => {
  test('a cluster sets each flag, and the last may take the rest as its value', () => {
    const { values, operands } = parse('-itdw/tmp', 'img');
    expect(values).toMatchObject({ interactive: true, tty: true, detach: true, workdir: '/tmp' });
    expect(operands).toEqual(['img']);
  });

  test('values may be glued, joined by an equals sign, or the next word', () => {
    expect(parse('-p80:80', '-p=81', '-p', '82', '--publish=83', '--publish', '84').values.publish).toEqual([
      '80:80',
      '81',
      '82',
      '83',
      '84',
    ]);
    expect(parse('-e=K').values.env).toEqual(['K']);
    expect(parse('--workdir=').values.workdir).toBe('');
    expect(parse('-w', '-t').values.workdir).toBe('-t');
  });

  test('booleans take a value only after an equals sign', () => {
    expect(parse('--rm=false').values.rm).toBe(false);
    expect(parse('--rm=T').values.rm).toBe(true);
    const { values, operands } = parse('--rm', 'false');
    expect([values.rm, operands]).toEqual([true, ['false']]);
  });

  test('flags end at the first operand, or at two dashes', () => {
    expect(parse('-i', 'img', '-t', '--', '--nosuch').operands).toEqual(['img', '-t', '--', '--nosuch']);
    expect(parse('-i', '--', '-t').operands).toEqual(['-t']);
    expect(parse('-', '-x').operands).toEqual(['-', '-x']);
  });

  test('flags and operands mix where the command allows it', () => {
    const parsed = parseFlags(flags, ['a', '-i', 'b', '--', '-c'], { interspersed: true });
    expect([parsed.operands, parsed.values.interactive]).toEqual([['a', 'b', '-c'], true]);
  });

  test('-h asks for help only where no flag has that letter', () => {
    expect(parse('-h', 'name').values.hostname).toBe('name');
    expect(parseFlags({}, ['-h'], { interspersed: true }).help).toBe(true);
    expect(parse('--help').help).toBe(true);
  });

  test('numbers are read as Go reads them', () => {
    expect(parse('--stop-timeout', '0x10').values['stop-timeout']).toBe(16);
    expect(parse('--stop-timeout', '010').values['stop-timeout']).toBe(8);
    expect(parse('--cpus', '1/2').values.cpus).toBe(0.5);
    expect(parse('-m', '1g').values.memory).toBe(1024 ** 3);
  });

  test('an alias sets the flag it stands for', () => {
    expect(parse('--net', 'none').values.network).toBe('none');
  });

  test('it is known which flags were given', () => {
    expect([...parse('--net=none', '-i').given]).toEqual(['network', 'interactive']);
  });
});

describe("refusals, in docker's words", () => {
  test.each([
    [['--nosuch'], 'unknown flag: --nosuch'],
    [['--nosuch=1'], 'unknown flag: --nosuch'],
    [['-x'], "unknown shorthand flag: 'x' in -x"],
    [['-itx'], "unknown shorthand flag: 'x' in -x"],
    [['--=x'], 'bad flag syntax: --=x'],
    [['---'], 'bad flag syntax: ---'],
    [['--cpus'], 'flag needs an argument: --cpus'],
    [['-im'], "flag needs an argument: 'm' in -m"],
    [['--cpus', 'x'], 'invalid argument "x" for "--cpus" flag: failed to parse x as a rational number'],
    [['--cpus', '1/3'], 'invalid argument "1/3" for "--cpus" flag: value is too precise'],
    [['-m', 'x'], `invalid argument "x" for "-m, --memory" flag: invalid size: 'x'`],
    [
      ['--rm=foo'],
      'invalid argument "foo" for "--rm" flag: strconv.ParseBool: parsing "foo": invalid syntax',
    ],
    [
      ['--stop-timeout', '08'],
      'invalid argument "08" for "--stop-timeout" flag: strconv.ParseInt: parsing "08": invalid syntax',
    ],
    [['-e', '=v'], 'invalid argument "=v" for "-e, --env" flag: invalid environment variable: =v'],
    [['-l', '=x'], `invalid argument "=x" for "-l, --label" flag: invalid label '=x': empty name`],
    [
      ['-f', 'foo'],
      'invalid argument "foo" for "-f, --filter" flag: bad format of filter (expected name=value)',
    ],
    [
      ['-a', 'foo'],
      'invalid argument "foo" for "-a, --attach" flag: valid streams are STDIN, STDOUT and STDERR',
    ],
    [['--dns', 'x'], 'invalid argument "x" for "--dns" flag: IP address is not correctly formatted: x'],
    [
      ['--cpus', 'a\t b\u00a0ü\u0001\u200b'],
      'invalid argument "a\\t b\\u00a0ü\\x01\\u200b" for "--cpus" flag: failed to parse a\t b\u00a0ü\u0001\u200b as a rational number',
    ],
  ])('%j', (args, message) => {
    expect(refusal(...args)).toEqual([message, 125]);
  });

  test('a flag that this version lacks is refused, with its value in any form', () => {
    const expected = ['--cap-add is not supported yet', 125];
    expect(refusal('--cap-add', 'ALL', 'img')).toEqual(expected);
    expect(refusal('--cap-add=ALL')).toEqual(expected);
    expect(refusal('--privileged')).toEqual(['--privileged is not supported yet', 125]);
  });

  test('asking such a flag for what happens anyway is no error', () => {
    expect(parse('--privileged=false', '--restart', 'no', 'img').operands).toEqual(['img']);
  });
});

test('help aligns, wraps and gives defaults as docker does', () => {
  const help = flagUsages(
    {
      all: { kind: 'bool', short: 'a', help: 'Show all containers (default shows just running)' },
      filter: { kind: 'filter', short: 'f', help: 'Filter output based on conditions provided' },
      last: {
        kind: 'int',
        short: 'n',
        help: 'Show n last created containers (includes all states)',
        default: '-1',
      },
      'no-trunc': { kind: 'bool', help: "Don't truncate output" },
      pull: { kind: 'string', help: 'Pull image', default: 'missing' },
      hidden: { kind: 'bool', help: '', refused: true },
    },
    79,
  );
  expect(help).toBe(
    `  -a, --all             Show all containers (default shows just running)
  -f, --filter filter   Filter output based on conditions provided
  -n, --last int        Show n last created containers (includes all
                        states) (default -1)
      --no-trunc        Don't truncate output
      --pull string     Pull image (default "missing")`,
  );
});
