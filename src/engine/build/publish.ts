/** What is done with a target that is built: the image named, archives and trees written, facts noted. */
import { randomBytes } from 'node:crypto';
import { createWriteStream, existsSync, rmSync } from 'node:fs';
import { finished } from 'node:stream/promises';
import { PassThrough, type Writable } from 'node:stream';

import type { BuiltStage } from '../../build/executor/stage.ts';
import type { StepReport, Steps } from '../../build/executor/steps.ts';
import type { BuildOutput, ImageForm } from '../../build/output/build-output.ts';
import { exportLocal } from '../../build/output/export-local.ts';
import { exportArchive, exportLayout } from '../../build/output/exporters.ts';
import { nameImage, writeImage, type WrittenImage } from '../../build/output/write-image.ts';
import { exportTree } from '../../build/tree/export.ts';
import { goWords } from '../../go-words.ts';
import { canonicalTag, familiarString, parseReference } from '../../images/reference.ts';
import type { Lease } from '../../images/store/leases.ts';
import { tellImage } from '../image-events.ts';
import { push } from '../push.ts';
import type { Engine } from '../types.ts';

export interface PublishOptions {
  lease: Lease;
  steps: Steps;
  annotations: Readonly<Record<string, string>>;
  /** The keys of its steps go into the image. */
  inlineCache: boolean;
  epoch: number | null;
  stdout: Writable;
  signal: AbortSignal;
}

/** @returns the image, if one was made */
export async function publish(
  engine: Engine,
  built: BuiltStage,
  outputs: readonly BuildOutput[],
  options: PublishOptions,
): Promise<WrittenImage | null> {
  let image: WrittenImage | null = null;
  for (const output of outputs) {
    const written = await publishOne(engine, built, output, options);
    image ??= written;
  }
  return image;
}

function publishOne(
  engine: Engine,
  built: BuiltStage,
  output: BuildOutput,
  options: PublishOptions,
): Promise<WrittenImage | null> {
  const { steps, signal } = options;
  switch (output.type) {
    case 'image':
      return steps.run('exporting to image', signal, (report) =>
        toImage(engine, built, output, { ...options, report }),
      );
    case 'oci':
    case 'docker':
      return steps.run(`exporting to ${output.type} image format`, signal, (report) =>
        toArchive(engine, built, output, { ...options, report }),
      );
    case 'tar':
    case 'local':
      return steps.run(
        output.type === 'tar' ? 'exporting to client tarball' : 'exporting to client directory',
        signal,
        async () => {
          await toFiles(built, output, { ...options, notify: engine.notify });
          return null;
        },
      );
    default:
      return output satisfies never;
  }
}

type Reporting = PublishOptions & { report: StepReport };

async function toImage(
  engine: Engine,
  built: BuiltStage,
  output: BuildOutput & { type: 'image' },
  options: Reporting,
): Promise<WrittenImage> {
  const { report } = options;
  const written = await write(engine, built, output, options);
  report.finished(`writing image ${written.id}`);
  if (!output.store && !output.push) return written;
  const names = output.names.map((name) => canonicalTag(parseReference(name)));
  const { image, entry } = await nameImage(engine.layout, engine.bundleDir, written, names);
  for (const name of names) {
    report.finished(`naming to ${name}`);
    tellImage(engine.layout, 'tag', image.id, familiarString(parseReference(name)));
  }
  if (output.push) await pushAll(engine, { ...output, names }, options);
  return { ...written, entry };
}

async function pushAll(
  engine: Engine,
  { names, insecure }: BuildOutput & { type: 'image' },
  { report, signal }: Reporting,
): Promise<void> {
  for (const name of names) {
    await push(engine, name, {
      insecure,
      signal,
      progress: {
        line: () => {},
        layer: (id, status, bytes) => {
          const isOver =
            status === 'Pushed' || status === 'Layer already exists' || status.startsWith('Mounted');
          if (isOver) report.finished(`pushing layer ${id}`, bytes?.done);
          else report.progress(`pushing layer ${id}`, bytes?.done ?? 0, bytes?.total);
        },
      },
    });
    report.finished(`pushing manifest for ${name}`);
  }
}

async function toArchive(
  engine: Engine,
  built: BuiltStage,
  output: BuildOutput & { type: 'oci' | 'docker' },
  options: Reporting,
): Promise<WrittenImage> {
  const { stdout, signal, report } = options;
  const { names, dest } = output;
  const written = await write(engine, built, output, options);
  report.finished(`exporting config ${written.id}`);
  if (!output.tar) await exportLayout(engine.layout, written, { directory: dest, names, signal });
  else {
    await into(dest, stdout, (sink) => exportArchive(engine.layout, written, { names, sink, signal }));
  }
  report.finished('sending tarball');
  return written;
}

async function toFiles(
  { chain }: BuiltStage,
  { type, dest }: BuildOutput & { type: 'tar' | 'local' },
  { stdout, signal, epoch, notify }: PublishOptions & { notify: (line: string) => void },
): Promise<void> {
  const options = { maxMtime: epoch, signal };
  if (type === 'tar') return into(dest, stdout, (sink) => exportTree(chain.tree, sink, options));
  const tar = new PassThrough();
  const made = exportTree(chain.tree, tar, options).then(
    () => tar.end(),
    (error: Error) => tar.destroy(error),
  );
  // Whoever makes the tar ends with whoever takes it.
  const taken = exportLocal(tar, dest, { signal, notify }).finally(() => tar.destroy());
  await Promise.all([made, taken]);
}

async function into(dest: string, stdout: Writable, write: (sink: Writable) => Promise<void>): Promise<void> {
  if (dest === '-') return write(stdout);
  const isNew = !existsSync(dest);
  const file = createWriteStream(dest);
  const closed = finished(file);
  try {
    await Promise.all([write(file).finally(() => file.end()), closed]);
  } catch (error) {
    if (isNew) rmSync(dest, { force: true });
    throw goWords(error);
  }
}

async function write(
  engine: Engine,
  { draft, steps }: BuiltStage,
  { form, annotations: own }: ImageForm,
  { lease, annotations, inlineCache, report }: Reporting,
): Promise<WrittenImage> {
  const options = { form, annotations: { ...annotations, ...own }, steps, inlineCache };
  const written = await writeImage(engine.layout, lease, draft, options);
  report.finished('exporting layers');
  return written;
}

/** `<builder>/<node>/<id>`, as buildx names a build in its metadata. */
export function newBuildRef(): string {
  return `default/default/${randomBytes(16).toString('hex').slice(0, 25)}`;
}
