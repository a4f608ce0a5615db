/** What all steps of one build share. */
import type { Lease } from '../../images/store/leases.ts';
import type { Layout } from '../../state/layout.ts';
import type { BuildCache } from '../cache/build-cache.ts';
import type { SourceOptions } from '../context/types.ts';
import type { Secrets } from '../secrets/secrets.ts';
import type { SshAgents } from '../secrets/ssh.ts';
import type { RunStep, StageVmOptions } from '../stage/types.ts';
import type { StepResult } from '../cache/built-layer.ts';
import type { LayerListing } from '../tree/layer-listing.ts';
import type { Once, Slots } from './once.ts';
import type { Sources } from './sources.ts';
import type { Steps } from './steps.ts';

/** What `build` is told about each RUN. */
export interface RunSettings extends Pick<RunStep, 'hosts' | 'ulimits' | 'shmBytes'> {
  /** `none` wins over what a RUN asks for. */
  network: 'default' | 'none';
  /** Variables of proxies: commands see them, results do not depend on them. */
  proxies: ReadonlyMap<string, string>;
}

export interface BuildSession {
  layout: Layout;
  /** Holds every blob that the build has found or made. */
  lease: Lease;
  cache: BuildCache;
  steps: Steps;
  sources: Sources;
  secrets: Secrets;
  ssh: SshAgents;
  run: RunSettings;
  machine: Pick<StageVmOptions, 'cpus' | 'memoryMb' | 'dns' | 'dnsSearch' | 'dnsOptions'>;
  /** For what ADD fetches. */
  remote: SourceOptions;
  /** SOURCE_DATE_EPOCH in seconds since 1970; null without. */
  epoch: number | null;
  /** True for a stage whose steps are made anew. */
  isFresh: (stageName: string) => boolean;
  /** What is in layers that this build has made itself, by their digests uncompressed. */
  listings: Map<string, LayerListing>;
  /** Steps that do the same are done once, whichever stages they are of. */
  once: Once<StepResult>;
  /** Steps with a command of their own, at a time. */
  slots: Slots;
  /** Aborted when the caller gives up, or another step failed. */
  signal: AbortSignal;
}
