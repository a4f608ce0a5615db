import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { baseRootFiles } from './base-rootfs.ts';
import { tarArchive } from './tar-archive.ts';

/** The name under which the embedded image is known without any registry. */
export const baseImageName = 'a3s/base:latest';

const environment = ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'];

interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
}

/**
 * Writes the embedded image as an OCI image layout (image-spec, image-layout.md): one layer around
 * Debian's busybox. Every date in it is the busybox binary's, so that equal input gives an equal digest.
 * @returns the digest of its manifest
 */
export async function writeBaseImage(busybox: string, version: string, layout: string): Promise<string> {
  const blobs = join(layout, 'blobs', 'sha256');
  await mkdir(blobs, { recursive: true });
  const write = async (mediaType: string, content: Buffer): Promise<Descriptor> => {
    const hex = createHash('sha256').update(content).digest('hex');
    await writeFile(join(blobs, hex), content);
    return { mediaType, digest: `sha256:${hex}`, size: content.length };
  };

  const built = new Date(Math.floor((await stat(busybox)).mtimeMs / 1000) * 1000);
  const applets = execFileSync(busybox, ['--list'], { encoding: 'utf8' }).split('\n').filter(Boolean);
  const archive = tarArchive(baseRootFiles(await readFile(busybox), applets), built);
  const layer = await write('application/vnd.oci.image.layer.v1.tar+gzip', gzipSync(archive, { level: 9 }));
  const created = built.toISOString().replace('.000', '');
  const config = await write(
    'application/vnd.oci.image.config.v1+json',
    json({
      created,
      architecture: 'amd64',
      os: 'linux',
      config: { Env: environment, Cmd: ['sh'], WorkingDir: '/' },
      rootfs: { type: 'layers', diff_ids: [`sha256:${createHash('sha256').update(archive).digest('hex')}`] },
      history: [{ created, created_by: `busybox-static ${version}`, comment: 'a3s-box embedded image' }],
    }),
  );
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const manifest = await write(mediaType, json({ schemaVersion: 2, mediaType, config, layers: [layer] }));
  const index = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [
      {
        ...manifest,
        platform: { architecture: 'amd64', os: 'linux' },
        annotations: { 'org.opencontainers.image.ref.name': baseImageName },
      },
    ],
  };
  await writeFile(join(layout, 'index.json'), json(index));
  await writeFile(join(layout, 'oci-layout'), json({ imageLayoutVersion: '1.0.0' }));
  return manifest.digest;
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
