/** An image in the shape of Docker's `GET /images/{name}/json` (API 1.51). Pure. */
import type { Image } from '../images/image.ts';
import { healthcheckJson } from './healthcheck-json.ts';

export type ImageJson = ReturnType<typeof imageJson>;

export function imageJson(image: Image) {
  const { config } = image;
  return {
    Id: image.id,
    RepoTags: image.repoTags,
    RepoDigests: image.repoDigests,
    Parent: '',
    Comment: config.history.at(-1)?.comment ?? '',
    Created: image.created,
    DockerVersion: '',
    Author: config.author,
    Config: {
      User: config.user,
      ExposedPorts: keysOf(config.exposedPorts),
      Env: config.env,
      Cmd: config.cmd.length === 0 ? null : config.cmd,
      ...(config.healthcheck === null ? {} : { Healthcheck: healthcheckJson(config.healthcheck) }),
      Volumes: keysOf(config.volumes),
      WorkingDir: config.workingDir,
      Entrypoint: config.entrypoint.length === 0 ? null : config.entrypoint,
      ...(config.onBuild.length === 0 ? {} : { OnBuild: config.onBuild }),
      Labels: config.labels,
      StopSignal: config.stopSignal,
      ...(config.shell.length === 0 ? {} : { Shell: config.shell }),
    },
    Architecture: config.architecture,
    ...(config.variant === '' ? {} : { Variant: config.variant }),
    Os: config.os,
    Size: image.size,
    GraphDriver: { Data: null, Name: 'squashfs' },
    RootFS: { Type: 'layers', Layers: config.diffIds },
    // When the tag was given is not kept.
    Metadata: { LastTagTime: '0001-01-01T00:00:00Z' },
  };
}

function keysOf(keys: readonly string[]): Record<string, Record<string, never>> | null {
  return keys.length === 0 ? null : Object.fromEntries(keys.map((key) => [key, {}]));
}
