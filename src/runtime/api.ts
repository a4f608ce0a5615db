/** What the engine may ask of the runtime. Everything below runtime/ is private to it. */
export { launchBox, type LaunchOptions } from './launch.ts';
export { attachBox, signalBox, stopBox } from './control-client.ts';
export { execInBox, type ExecSpec } from './exec-client.ts';
export { hostFacts, type HostFacts } from './host-facts.ts';
export type { ProcessResult, ProcessSession } from './process-session.ts';
