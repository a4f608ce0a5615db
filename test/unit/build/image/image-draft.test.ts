import { expect, test } from 'vitest';

import type { BuiltLayer, StepResult } from '../../../../src/build/cache/built-layer.ts';
import type { HistoryDetails } from '../../../../src/build/dockerfile/evaluate/history.ts';
import type { Instruction } from '../../../../src/build/dockerfile/instructions/types.ts';
import { parseDockerfile } from '../../../../src/build/dockerfile/parse-dockerfile.ts';
import { ImageDraft } from '../../../../src/build/image/image-draft.ts';
import { hostPlatform } from '../../../../src/images/platform.ts';

const NO_EPOCH = { epoch: null };
const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const amd64 = { os: 'linux', architecture: 'amd64', variant: '' };

function layerOf(digit: string): BuiltLayer {
  return {
    mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
    digest: `sha256:${digit.repeat(64)}`,
    size: 100,
    diffId: `sha256:d${digit.repeat(63)}`,
    contentBytes: 10,
  };
}

const made = (digit: string, created: string): StepResult => ({ layer: layerOf(digit), created });
const nothing = (created: string): StepResult => ({ layer: null, created });

/** Instructions of one stage without variables, which need no evaluation. */
function instructions(text: string): Instruction[] {
  return parseDockerfile(`FROM scratch\n${text}`).stages[0]?.instructions ?? [];
}

function apply(draft: ImageDraft, text: string, details: Partial<HistoryDetails> = {}, result?: StepResult) {
  for (const instruction of instructions(text)) {
    const words = 'words' in instruction ? instruction.words : [];
    draft.apply(instruction, { words, declared: [], workingDirectory: '/', ...details }, result);
  }
}

interface Document {
  author?: string;
  created: string;
  config: object;
  history: { created: string }[];
}

const written = (draft: ImageDraft): Document => JSON.parse(draft.configuration().toString());

test('an image from scratch, byte for byte', () => {
  const draft = ImageDraft.scratch(amd64, NO_EPOCH);
  apply(draft, 'COPY a /', {}, made('1', '2026-01-02T03:04:05.600Z'));
  apply(draft, 'CMD ["<run>"]');
  expect(draft.configuration().toString()).toBe(
    '{"architecture":"amd64","config":{' +
      `"Env":["${PATH}"],"Cmd":["\\u003crun\\u003e"],"WorkingDir":"/","ArgsEscaped":true},` +
      '"created":"2026-01-02T03:04:05.6Z","history":[' +
      '{"created":"2026-01-02T03:04:05.6Z","created_by":"COPY a / # buildkit","comment":"buildkit.dockerfile.v0"},' +
      '{"created":"2026-01-02T03:04:05.6Z","created_by":"CMD [\\"\\u003crun\\u003e\\"]","comment":"buildkit.dockerfile.v0","empty_layer":true}' +
      `],"os":"linux","rootfs":{"type":"layers","diff_ids":["sha256:d${'1'.repeat(63)}"]}}`,
  );
});

test('every instruction that changes the configuration does', () => {
  const draft = ImageDraft.scratch(amd64, NO_EPOCH);
  apply(draft, 'LABEL b=2 a=1');
  apply(draft, 'ENV X=1 Y=2');
  apply(draft, 'ENV X=3');
  apply(draft, 'EXPOSE 80/tcp 53/udp');
  apply(draft, 'USER app:staff');
  apply(draft, 'VOLUME /data /cache');
  apply(draft, 'STOPSIGNAL SIGUSR1');
  apply(draft, 'SHELL ["/bin/bash", "-ec"]');
  apply(draft, 'HEALTHCHECK --interval=5s --retries=2 CMD ["check"]');
  apply(draft, 'ONBUILD RUN make');
  apply(draft, 'MAINTAINER me');
  apply(draft, 'WORKDIR /srv', { workingDirectory: '/srv' }, nothing('2026-01-02T03:04:05Z'));
  const document = written(draft);
  expect(document.author).toBe('me');
  expect(JSON.stringify(document.config)).toBe(
    JSON.stringify({
      User: 'app:staff',
      ExposedPorts: { '53/udp': {}, '80/tcp': {} },
      Env: [PATH, 'X=3', 'Y=2'],
      Volumes: { '/cache': {}, '/data': {} },
      WorkingDir: '/srv',
      Labels: { a: '1', b: '2' },
      StopSignal: 'SIGUSR1',
      Healthcheck: { Test: ['CMD', 'check'], Interval: 5_000_000_000, Retries: 2 },
      OnBuild: ['RUN make'],
      Shell: ['/bin/bash', '-ec'],
    }),
  );
  expect(draft.shell).toEqual(['/bin/bash', '-ec']);
  expect(draft.user).toBe('app:staff');
  expect(draft.workingDirectory).toBe('/srv');
  expect(draft.env).toEqual([PATH, 'X=3', 'Y=2']);
});

test('a step that changed nothing has an empty layer, as with BuildKit; WORKDIR / has none', () => {
  const draft = ImageDraft.scratch(amd64, NO_EPOCH);
  apply(draft, 'WORKDIR /', { workingDirectory: '/' });
  apply(draft, 'RUN true', { words: ['true'] }, nothing('2026-01-02T03:04:05Z'));
  expect(draft.layers).toEqual([
    {
      mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
      digest: 'sha256:4f4fb700ef54461cfa02571ae0db9a0dc1e0cdb5577484a6d75e68dc38e8acc1',
      size: 32,
      diffId: 'sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef',
      contentBytes: 0,
    },
  ]);
  expect(written(draft).history).toEqual([
    expect.objectContaining({ created_by: 'WORKDIR /', empty_layer: true }),
    { created: '2026-01-02T03:04:05Z', created_by: 'RUN true # buildkit', comment: 'buildkit.dockerfile.v0' },
  ]);
});

const base = {
  architecture: 'arm64',
  variant: 'v8',
  os: 'linux',
  author: 'somebody',
  created: '2020-01-01T00:00:00Z',
  container_config: { Cmd: ['dropped'] },
  config: { Env: ['A=1'], Cmd: ['sh'], Entrypoint: ['/init'], WorkingDir: '/app/', OnBuild: ['RUN x'] },
  rootfs: { type: 'layers', diff_ids: [layerOf('a').diffId] },
  history: [
    { created: '2020-01-01T00:00:00.120Z', created_by: 'ADD rootfs', author: 'x' },
    { created: '2020-01-01T00:00:01Z', created_by: 'CMD', empty_layer: true },
  ],
};

test('what BuildKit keeps of a base image is kept', () => {
  const draft = ImageDraft.ofImage(base, [layerOf('a')], NO_EPOCH);
  apply(draft, 'LABEL x=y');
  expect(JSON.parse(draft.configuration().toString())).toEqual({
    architecture: 'arm64',
    author: 'somebody',
    config: {
      Env: ['A=1', PATH],
      Entrypoint: ['/init'],
      Cmd: ['sh'],
      WorkingDir: '/app',
      Labels: { x: 'y' },
    },
    created: '2020-01-01T00:00:01Z',
    history: [
      { created: '2020-01-01T00:00:00.12Z', created_by: 'ADD rootfs', author: 'x' },
      { created: '2020-01-01T00:00:01Z', created_by: 'CMD', empty_layer: true },
      {
        created: '2020-01-01T00:00:01Z',
        created_by: 'LABEL x=y',
        comment: 'buildkit.dockerfile.v0',
        empty_layer: true,
      },
    ],
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: [layerOf('a').diffId] },
    variant: 'v8',
  });
});

test('ENTRYPOINT drops the command of the base, but not the one of the stage', () => {
  const draft = ImageDraft.ofImage(base, [layerOf('a')], NO_EPOCH);
  apply(draft, 'ENTRYPOINT ["/e"]');
  expect(written(draft).config).not.toHaveProperty('Cmd');
  apply(draft, 'CMD ["c"]');
  apply(draft, 'ENTRYPOINT ["/f"]');
  expect(written(draft).config).toMatchObject({ Entrypoint: ['/f'], Cmd: ['c'] });
  const next = draft.fork();
  apply(next, 'ENTRYPOINT ["/g"]');
  expect(written(next).config).not.toHaveProperty('Cmd');
});

test('a stage on a stage has a draft of its own, without the triggers', () => {
  const draft = ImageDraft.scratch(amd64, NO_EPOCH);
  apply(draft, 'ONBUILD RUN x');
  const next = draft.fork();
  apply(next, 'ENV ONLY=there');
  apply(next, 'COPY a /', {}, made('1', '2026-01-02T03:04:05Z'));
  expect(next.onBuild).toEqual([]);
  expect(draft.onBuild).toEqual(['RUN x']);
  expect(draft.env).toEqual([PATH]);
  expect(draft.layers).toEqual([]);
  expect(next.layers).toEqual([layerOf('1')]);
});

test('steps without files have the time of the first layer that comes after them', () => {
  const draft = ImageDraft.ofImage(base, [layerOf('a')], NO_EPOCH);
  apply(draft, 'ENV A=2');
  apply(draft, 'COPY a /', {}, made('1', '2026-01-01T00:00:00Z'));
  apply(draft, 'ENV B=2');
  apply(draft, 'COPY b /', {}, made('2', '2026-02-01T00:00:00Z'));
  apply(draft, 'ENV C=2');
  const times = written(draft).history.map(({ created }) => created);
  expect(times.slice(2)).toEqual([
    '2026-01-01T00:00:00Z',
    '2026-01-01T00:00:00Z',
    '2026-01-01T00:00:00Z',
    '2026-02-01T00:00:00Z',
    '2026-02-01T00:00:00Z',
  ]);
  expect(written(draft).created).toBe('2026-02-01T00:00:00Z');
});

test('SOURCE_DATE_EPOCH is the time of every step but the base image keeps its own', () => {
  const draft = ImageDraft.ofImage(base, [layerOf('a')], { epoch: 86_400 });
  apply(draft, 'ENV A=2');
  apply(draft, 'COPY a /', {}, made('1', '2026-01-01T00:00:00Z'));
  const times = written(draft).history.map(({ created }) => created);
  expect(times).toEqual([
    '2020-01-01T00:00:00.12Z',
    '2020-01-01T00:00:01Z',
    '1970-01-02T00:00:00Z',
    '1970-01-02T00:00:00Z',
  ]);
  expect(written(draft).created).toBe('1970-01-02T00:00:00Z');
});

test('layers that a base image has no history of get a line', () => {
  const { history: _none, ...silent } = base;
  const draft = ImageDraft.ofImage(silent, [layerOf('a')], NO_EPOCH);
  apply(draft, 'COPY a /', {}, made('1', '2026-01-01T00:00:00Z'));
  const history = written(draft).history;
  expect(history).toHaveLength(2);
  expect(history[1]).toEqual({ created: '2026-01-01T00:00:00Z', comment: 'buildkit.exporter.image.v0' });
});

test('an image with nothing in it says null, as Go does', () => {
  const draft = ImageDraft.scratch(hostPlatform(), NO_EPOCH);
  expect(draft.configuration().toString()).toContain('"created":null,"history":null');
  expect(draft.configuration().toString()).toContain('"rootfs":{"type":"layers","diff_ids":null}');
});

test('labels of the command line come on top, without a line in the history', () => {
  const draft = ImageDraft.scratch(amd64, NO_EPOCH);
  apply(draft, 'LABEL a=1 1=x');
  draft.label({ a: '2', __proto__x: 'y' });
  expect(draft.configuration().toString()).toContain('"Labels":{"1":"x","__proto__x":"y","a":"2"}');
});

test.each([
  [{ ...base, config: { Env: 'A' } }, 'config.Env'],
  [{ ...base, config: { Shell: [1] } }, 'config.Shell'],
  [{ ...base, history: [{ created_by: 1 }] }, 'config.history[0].created_by'],
])('a base with a bad field is refused by its name', (document, field) => {
  expect(() => ImageDraft.ofImage(document, [layerOf('a')], NO_EPOCH)).toThrow(
    `the image has a bad field: ${field}`,
  );
});
