/** The environment that measured commands have. */

/** Ours, which would measure something else than the document says: a pool, a trace, another accelerator or home. */
const OURS = /^A3S_/;
/** Node's, which would change how its programs load. */
const NODES = /^NODE_/;

/** The caller's environment without what changes how a measured command works. */
export function plainEnvironment(env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(([name]) => !OURS.test(name) && !NODES.test(name));
  return Object.fromEntries(kept);
}
