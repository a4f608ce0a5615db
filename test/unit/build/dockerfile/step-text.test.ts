import { expect, test } from 'vitest';

import { parseMount } from '../../../../src/build/dockerfile/instructions/mount.ts';
import { stepLine, stepText } from '../../../../src/build/dockerfile/evaluate/step-text.ts';
import { parseDockerfile } from '../../../../src/build/dockerfile/parse-dockerfile.ts';

function text(line: string): string {
  const [instruction] = parseDockerfile(`FROM a\n${line}`).stages[0]?.instructions ?? [];
  if (instruction === undefined) throw new Error('no instruction');
  const evaluated =
    instruction.kind === 'run'
      ? {
          ...instruction,
          mounts: instruction.mountFields.map((fields) => parseMount(fields, (value) => value)),
        }
      : instruction;
  return stepText(evaluated, new Map([['a', '1']]), '\\');
}

test.each([
  ['run echo "$a" \'$a\' ${b} $b', 'RUN echo "1" \'$a\' ${b} $b'],
  ['RUN echo "open', 'RUN echo "open'],
  ['RUN one \\\n  && two', 'RUN one   && two'],
  ['RUN --mount=type=secret,id=s,env=a x $a', 'RUN --mount=type=secret,id=s,env=a x ****'],
  ['RUN <<EOF\n\nfirst $a\nsecond\nEOF', 'RUN <<EOF (first 1...)'],
  ['RUN <<EOF\nonly\nEOF', 'RUN <<EOF (only)'],
  ['RUN cat <<EOF\nonly\nEOF', 'RUN cat <<EOF'],
  ['copy $a "b c" /$x/', 'COPY 1 b c //'],
  ['WORKDIR /$a', 'WORKDIR /1'],
])('%j is shown as %j', (line, expected) => {
  expect(text(line)).toBe(expected);
});

test.each([
  ['', 3, 2, false, '[2/3] RUN x'],
  ['base', 12, 2, false, '[base  2/12] RUN x'],
  ['stage-0', 1, 1, true, '[stage-0 1/1] ONBUILD RUN x'],
  ['base', 0, 1, false, 'RUN x'],
])('stage %j with %i steps, step %i (trigger: %j): %s', (label, steps, number, trigger, expected) => {
  expect(stepLine({ label, steps }, number, 'RUN x', trigger)).toBe(expected);
});
