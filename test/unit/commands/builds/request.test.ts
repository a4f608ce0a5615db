import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

import { buildFlags } from '../../../../src/commands/builds/flags.ts';
import { buildRequest } from '../../../../src/commands/builds/request.ts';
import { parseFlags } from '../../../../src/commands/flags/parse.ts';
import type { BuildRequest } from '../../../../src/engine/build-types.ts';
import { temporaryDirectory } from '../../../temporary.ts';
import { contextStub } from '../context-stub.ts';

const signal = new AbortController().signal;

function request(args: readonly string[], env: NodeJS.ProcessEnv = {}): BuildRequest {
  const { values, operands } = parseFlags(buildFlags, args, { interspersed: true });
  return buildRequest(contextStub({ env }), values, operands[0] ?? '', signal);
}

test('without flags', () => {
  const { stdin, stdout, ...rest } = request(['.']);
  expect([stdin, stdout].every((stream) => typeof stream === 'object')).toBe(true);
  expect(rest).toEqual({
    context: '.',
    file: undefined,
    contexts: [],
    target: undefined,
    platform: undefined,
    buildArguments: new Map(),
    labels: new Map(),
    annotations: new Map(),
    noCache: false,
    noCacheFilter: [],
    cacheFrom: [],
    pull: false,
    secrets: [],
    ssh: [],
    network: 'default',
    extraHosts: [],
    shmBytes: undefined,
    ulimits: [],
    cpus: 2,
    memoryBytes: 2 * 1024 ** 3,
    tags: [],
    outputs: [],
    push: false,
    load: false,
    iidFile: undefined,
    metadataFile: undefined,
    sourceDateEpoch: undefined,
    env: {},
    signal,
  });
});

test('with every flag', () => {
  const line =
    '-f a/Dockerfile --build-context x=y --target t --platform linux/amd64 --build-arg A=1 --build-arg B --build-arg C ' +
    '--label l=1 --label m --annotation manifest:a=b --annotation c=d --no-cache --cache-from p,q --cache-from type=registry,ref=r ' +
    '--pull --secret id=s --ssh default --network none --add-host h=1.2.3.4 --shm-size 1m --ulimit nofile=1:2 --cpus 1 -m 512m ' +
    '-t one -t two:2 -o type=tar,dest=- --push --load --iidfile i --metadata-file m -';
  const made = request(line.split(' '), { B: 'of the caller', SOURCE_DATE_EPOCH: '7' });
  expect(made).toMatchObject({
    context: '-',
    file: 'a/Dockerfile',
    contexts: ['x=y'],
    target: 't',
    platform: 'linux/amd64',
    buildArguments: new Map([
      ['A', '1'],
      ['B', 'of the caller'],
      ['SOURCE_DATE_EPOCH', '7'],
    ]),
    labels: new Map([
      ['l', '1'],
      ['m', ''],
    ]),
    annotations: new Map([
      ['a', 'b'],
      ['c', 'd'],
    ]),
    noCache: true,
    cacheFrom: ['p', 'q', 'r'],
    pull: true,
    secrets: ['id=s'],
    ssh: ['default'],
    network: 'none',
    extraHosts: ['h:1.2.3.4'],
    shmBytes: 1024 ** 2,
    ulimits: [{ name: 'nofile', soft: 1, hard: 2 }],
    cpus: 1,
    memoryBytes: 512 * 1024 ** 2,
    tags: ['one', 'two:2'],
    outputs: ['type=tar,dest=-'],
    push: true,
    load: true,
    iidFile: 'i',
    metadataFile: 'm',
    sourceDateEpoch: 7,
  });
});

test('a build argument is given with its value or taken from the environment; the last one counts', () => {
  const words = ['A=1', 'B=', 'C=x=y', 'HOME', 'MISSING', 'A=2'].flatMap((text) => ['--build-arg', text]);
  expect(request([...words, '.'], { HOME: '/h' }).buildArguments).toEqual(
    new Map([
      ['A', '2'],
      ['B', ''],
      ['C', 'x=y'],
      ['HOME', '/h'],
    ]),
  );
});

test('a build argument wins over SOURCE_DATE_EPOCH of the environment', () => {
  const made = request(['--build-arg', 'SOURCE_DATE_EPOCH=1', '.'], { SOURCE_DATE_EPOCH: '2' });
  expect(made.sourceDateEpoch).toBe(1);
  expect(made.buildArguments).toEqual(new Map([['SOURCE_DATE_EPOCH', '1']]));
});

test('DOCKER_DEFAULT_PLATFORM counts where --platform is not given', () => {
  const env = { DOCKER_DEFAULT_PLATFORM: 'linux/arm64' };
  expect(request(['.'], env).platform).toBe('linux/arm64');
  expect(request(['--platform', 'linux/amd64', '.'], env).platform).toBe('linux/amd64');
});

test('flags of the builder before BuildKit that ask for what is so anyway', () => {
  const args =
    '--rm --rm=true --force-rm --compress --isolation default --memory-swap -1 --provenance=false --sbom=false';
  expect(() => request([...args.split(' '), '--builder=default', '--cpu-shares=0', '.'])).not.toThrow();
});

describe('refused', () => {
  test.each([
    [['-f', '-', '-'], "invalid argument: can't use stdin for both build context and dockerfile"],
    [
      ['--no-cache', '--no-cache-filter', 'a', '.'],
      '--no-cache and --no-cache-filter cannot currently be used together',
    ],
    [['-t', 'UPPER', '.'], 'invalid tag "UPPER": repository name must be lowercase'],
    [['-t', 'a:b:c', '.'], 'invalid tag "a:b:c": invalid reference format'],
    [['--build-arg', '=x', '.'], 'invalid key-value pair "=x": empty key'],
    [['--build-arg', '', '.'], 'invalid key-value pair "": empty key'],
    [['--label', '', '.'], 'invalid key-value pair "": empty key'],
    [['--network', 'host', '.'], '--network host is not supported: the network of a build is that of its VM'],
    [['--network', 'mine', '.'], 'network mode "mine" not supported by buildkit'],
    [
      ['--platform', 'linux/amd64,linux/arm64', '.'],
      'a build for several platforms at once is not supported',
    ],
    [['--annotation', 'x', '.'], 'invalid annotation "x", expected key=value'],
    [['--annotation', 'image:a=b', '.'], 'unknown annotation type "image"'],
    [
      ['--annotation', 'in dex:a=b', '.'],
      'invalid annotation type "in dex", expected type and optional platform in square brackets',
    ],
    [['--annotation', 'index:a=b', '.'], 'index annotations not supported for single platform export'],
    [
      ['--cache-from', 'type=local,src=x', '.'],
      '--cache-from type=local is not supported: the cache of builds is in the state directory and in images',
    ],
    [['--cache-from', 'ref=x', '.'], 'type required form> "ref=x"'],
    [['--cache-from', 'type=registry,x', '.'], 'invalid value x'],
    [['--shm-size', '-1', '.'], /^invalid argument "-1" for "--shm-size" flag: /],
    [['--memory', '1m', '.'], 'Minimum memory limit allowed is 64MB'],
    [
      ['--build-arg', 'SOURCE_DATE_EPOCH=now', '.'],
      'invalid SOURCE_DATE_EPOCH: now: strconv.ParseInt: parsing "now": invalid syntax',
    ],
    [['--squash', '.'], /^--squash is not supported: /],
    [['--rm=false', '.'], '--rm is not supported: no box stays behind after a step'],
    [['--cpu-quota', '5', '.'], /ask for a number of them with --cpus$/],
  ])('%j', (args, message) => {
    expect(() => request(args)).toThrow(message);
  });
});

test('the proxies of config.json are arguments of a build that has none of its own', () => {
  const dir = temporaryDirectory();
  const proxies = { default: { httpProxy: 'http://a', noProxy: 'b' } };
  writeFileSync(join(dir, 'config.json'), JSON.stringify({ proxies }));
  const made = request(['--build-arg', 'NO_PROXY=own', '.'], { DOCKER_CONFIG: dir });
  expect(made.buildArguments).toEqual(
    new Map([
      ['NO_PROXY', 'own'],
      ['HTTP_PROXY', 'http://a'],
    ]),
  );
});
