/** Flags that no command of Docker's has, as `command --flag`; those of `pool` are ours as well. */
export const OURS: ReadonlySet<string> = new Set([
  'build --cpus',
  'exec --timeout',
  'pull --insecure',
  'push --insecure',
]);
