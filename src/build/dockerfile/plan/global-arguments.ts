/** Build arguments outside of stages: predefined ones, and ARGs before the first FROM. */
import { type Platform, platformString } from '../../../images/platform.ts';
import { withLines } from '../error.ts';
import type { Dockerfile } from '../parse-dockerfile.ts';
import { expand } from '../words/expand.ts';

/** What `--build-arg` gives, by name. */
export type BuildArguments = ReadonlyMap<string, string>;

export interface ArgumentOptions {
  buildArguments: BuildArguments;
  /** What is built for. */
  platform: Platform;
  /** What the build runs on. */
  buildPlatform: Platform;
  /** Name of the stage that is built; empty when it has none. */
  targetName: string;
}

const PROXIES = ['HTTP_PROXY', 'HTTPS_PROXY', 'FTP_PROXY', 'NO_PROXY', 'ALL_PROXY'];

/**
 * What FROM may use, and what an ARG of a stage without a value gets.
 * @throws DockerfileError
 */
export function globalArguments(dockerfile: Dockerfile, options: ArgumentOptions): Map<string, string> {
  const values = platformArguments(options);
  for (const instruction of dockerfile.globalArguments) {
    for (const { key, value } of instruction.arguments) {
      const given = options.buildArguments.get(key);
      if (given !== undefined) values.set(key, given);
      else if (value !== null) {
        const { text } = withLines(
          () => instruction.lines,
          () => expand(value, values, { escape: dockerfile.escape }),
        );
        values.set(key, text);
      }
    }
  }
  return values;
}

function platformArguments(options: ArgumentOptions): Map<string, string> {
  const { platform: target, buildPlatform: build, buildArguments } = options;
  const predefined: [string, string][] = [
    ['BUILDPLATFORM', platformString(build)],
    ['BUILDOS', build.os],
    ['BUILDOSVERSION', ''],
    ['BUILDARCH', build.architecture],
    ['BUILDVARIANT', build.variant],
    ['TARGETPLATFORM', platformString(target)],
    ['TARGETOS', target.os],
    ['TARGETOSVERSION', ''],
    ['TARGETARCH', target.architecture],
    ['TARGETVARIANT', target.variant],
    ['TARGETSTAGE', options.targetName === '' ? 'default' : options.targetName],
  ];
  return new Map(predefined.map(([name, value]) => [name, buildArguments.get(name) ?? value]));
}

/** The variables of a proxy, which every RUN gets without an ARG and which no cache key depends on. */
export function proxyEnvironment(buildArguments: BuildArguments): Map<string, string> {
  const environment = new Map<string, string>();
  for (const [name, value] of buildArguments) {
    const proxy = name.toUpperCase();
    if (PROXIES.includes(proxy)) environment.set(proxy, value).set(proxy.toLowerCase(), value);
  }
  return environment;
}
