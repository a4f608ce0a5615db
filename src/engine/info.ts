/** `info`: this installation, its boxes, its host. */
import { hostFacts, type HostFacts } from '../runtime/host-facts.ts';
import { allBoxes } from './engine.ts';
import { listImages } from './images.ts';
import type { Engine } from './types.ts';
import { packageVersion } from './version.ts';

export interface SystemInfo {
  version: string;
  nodeVersion: string;
  stateDirectory: string;
  boxes: { total: number; running: number; paused: number; stopped: number };
  images: number;
  host: HostFacts;
}

/** Facts for a person and for scripts; what is broken is among `host.problems`, not thrown. */
export async function systemInfo(engine: Engine): Promise<SystemInfo> {
  const [boxes, host] = await Promise.all([allBoxes(engine), hostFacts(engine.layout)]);
  const running = boxes.filter((box) => box.status === 'running').length;
  const paused = boxes.filter((box) => box.status === 'paused').length;
  const problems = [...host.problems];
  let images = 0;
  try {
    images = (await listImages(engine)).length;
  } catch (error) {
    problems.push(error instanceof Error ? error.message : String(error));
  }
  return {
    version: packageVersion(),
    nodeVersion: process.version,
    stateDirectory: engine.layout.home,
    boxes: { total: boxes.length, running, paused, stopped: boxes.length - running - paused },
    images,
    host: { ...host, problems },
  };
}
