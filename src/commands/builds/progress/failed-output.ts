/** What failed steps wrote last, below everything else (BuildKit's printErrorLogs). */
import type { DisplayTarget } from './display.ts';
import type { LastLines } from './log-lines.ts';
import type { Step } from './steps.ts';

const RULE = '------\n';

export function showFailedOutput(
  target: DisplayTarget,
  steps: readonly Step[],
  outputOf: (step: Step) => LastLines | undefined,
): void {
  for (const step of steps) {
    if (step.failure === '' || step.cancelled) continue;
    const output = outputOf(step);
    target.write(`${RULE} > ${step.name}:\n`);
    for (const line of output?.lines ?? []) target.write(Buffer.concat([line, Buffer.from('\n')]));
    target.write(RULE);
  }
}
