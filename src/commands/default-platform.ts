/**
 * The platform that a flag or, without it, `DOCKER_DEFAULT_PLATFORM` asks for; undefined for whatever there is.
 * @param flag what `--platform` was given
 */
export function platformOf(flag: string | undefined, env: NodeJS.ProcessEnv): string | undefined {
  return (flag ?? env['DOCKER_DEFAULT_PLATFORM']) || undefined;
}
