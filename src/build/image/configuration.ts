/**
 * What an image's configuration says, in the form of BuildKit's structs: the members of moby/docker-image-spec and the OCI image
 * specification, in their order. Others that a base image has are dropped, as BuildKit drops them.
 */
import { A3sError } from '../../errors.ts';
import { parseConfig } from '../../images/config.ts';
import { isObject, objectOr } from '../../json.ts';
import type { HealthCheck } from '../../state/record.ts';
import { type GoValue, unlessEmpty } from './go-json.ts';

/** Its `config`: what boxes get. */
export interface RunConfiguration {
  user: string;
  exposedPorts: Set<string>;
  /** `NAME=value`. */
  env: string[];
  entrypoint: string[];
  cmd: string[];
  volumes: Set<string>;
  workingDir: string;
  labels: Map<string, string>;
  stopSignal: string;
  argsEscaped: boolean;
  healthcheck: HealthCheck | null;
  onBuild: string[];
  shell: string[];
}

/** Its platform, with what only Windows has. */
export interface PlatformFields {
  architecture: string;
  os: string;
  osVersion: string;
  osFeatures: string[];
  variant: string;
}

export function emptyRunConfiguration(): RunConfiguration {
  return {
    user: '',
    exposedPorts: new Set(),
    env: [],
    entrypoint: [],
    cmd: [],
    volumes: new Set(),
    workingDir: '',
    labels: new Map(),
    stopSignal: '',
    argsEscaped: false,
    healthcheck: null,
    onBuild: [],
    shell: [],
  };
}

/** @throws A3sError `image_broken` naming the field. */
export function readRunConfiguration(document: unknown): RunConfiguration {
  const parsed = parseConfig(document);
  const run = objectOr(objectOr(document)['config']);
  return {
    user: parsed.user,
    exposedPorts: new Set(parsed.exposedPorts),
    env: [...parsed.env],
    entrypoint: [...parsed.entrypoint],
    cmd: [...parsed.cmd],
    volumes: new Set(parsed.volumes),
    workingDir: parsed.workingDir,
    labels: new Map(Object.entries(parsed.labels)),
    stopSignal: parsed.stopSignal,
    argsEscaped: run['ArgsEscaped'] === true,
    healthcheck: parsed.healthcheck,
    onBuild: strings(run['OnBuild'], 'config.OnBuild'),
    shell: strings(run['Shell'], 'config.Shell'),
  };
}

/** @throws A3sError `image_broken` naming the field. */
export function readPlatform(document: unknown): PlatformFields {
  const { architecture, os, variant } = parseConfig(document);
  const fields = objectOr(document);
  const version = fields['os.version'];
  return {
    architecture,
    os,
    osVersion: typeof version === 'string' ? version : '',
    osFeatures: strings(fields['os.features'], 'config.os.features'),
    variant,
  };
}

/** A copy that shares nothing. */
export function copyRunConfiguration(run: RunConfiguration): RunConfiguration {
  return structuredClone(run);
}

/** In the order of Go's structs, ImageConfig before DockerOCIImageConfigExt. */
export function runConfigurationJson(run: RunConfiguration): GoValue {
  return {
    User: unlessEmpty(run.user),
    ExposedPorts: unlessEmpty(run.exposedPorts),
    Env: unlessEmpty(run.env),
    Entrypoint: unlessEmpty(run.entrypoint),
    Cmd: unlessEmpty(run.cmd),
    Volumes: unlessEmpty(run.volumes),
    WorkingDir: unlessEmpty(run.workingDir),
    Labels: unlessEmpty(run.labels),
    StopSignal: unlessEmpty(run.stopSignal),
    ArgsEscaped: unlessEmpty(run.argsEscaped),
    Healthcheck: run.healthcheck === null ? undefined : healthcheckJson(run.healthcheck),
    OnBuild: unlessEmpty(run.onBuild),
    Shell: unlessEmpty(run.shell),
  };
}

function healthcheckJson(check: HealthCheck): GoValue {
  return {
    Test: unlessEmpty(check.test),
    Interval: unlessEmpty(check.interval),
    Timeout: unlessEmpty(check.timeout),
    StartPeriod: unlessEmpty(check.start_period),
    StartInterval: unlessEmpty(check.start_interval),
    Retries: unlessEmpty(check.retries),
  };
}

function strings(value: unknown, what: string): string[] {
  if (value == null) return [];
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return [...value];
  throw new A3sError('image_broken', `the image has a bad field: ${what}`);
}

/** The author that a configuration names. */
export function readAuthor(document: unknown): string {
  const author = isObject(document) ? document['author'] : undefined;
  return typeof author === 'string' ? author : '';
}
