/** `build`: an image from a Dockerfile. */
import type { BuildOutcome, BuildWarning } from '../../engine/build-types.ts';
import { A3sError } from '../../errors.ts';
import { parseCall } from './call.ts';
import { failureText } from './failure.ts';
import { buildFlags } from './flags.ts';
import { Interrupt } from './interrupt.ts';
import { chooseProgress, openDisplay } from './progress/choose.ts';
import { type BuildFlagValues, buildRequest } from './request.ts';
import { warningsText } from './warnings.ts';
import { type CommandContext, defineCommand } from '../command.ts';

export const build = defineCommand({
  summary: 'Build an image from a Dockerfile',
  usage: '[OPTIONS] PATH | URL | -',
  args: { min: 1, max: 1 },
  flags: buildFlags,
  examples: [
    ['-t app .', 'An image named app from the Dockerfile here'],
    [
      '-f docker/Dockerfile --target test --build-arg VERSION=2 .',
      'Another Dockerfile, up to one of its stages',
    ],
    ['--secret id=token,src=token.txt --ssh default .', 'With a secret and an ssh agent for RUN --mount'],
    ['-o out .', 'The files of the last stage, into the directory out'],
    ['-q https://example.org/app.git#main', 'From a repository; prints the ID of the image only'],
    ['--check .', 'Looks for mistakes, builds nothing'],
  ],
  async run(context, { flags, args: [path = ''] }) {
    try {
      return await runBuild(context, flags, path);
    } catch (error) {
      const text = failureText(error);
      if (text === undefined) throw error;
      context.stderr.write(text);
      return (error instanceof A3sError ? error.exitStatus : undefined) ?? 1;
    }
  },
});

async function runBuild(context: CommandContext, flags: BuildFlagValues, path: string): Promise<number> {
  const { env, stderr } = context;
  const choice = chooseProgress(flags, env, stderr);
  const call = parseCall(flags);
  using interrupt = new Interrupt();
  const request = buildRequest(context, flags, path, interrupt.signal);
  if (env['DOCKER_BUILDKIT'] === '0' && choice.mode !== 'none') {
    context.warn('DOCKER_BUILDKIT=0 has no effect: there is one builder, and it takes what BuildKit takes');
  }
  const engine = await context.engine();
  if (call !== undefined) {
    const { printCall } = await import('./print-call.ts');
    return await interrupt.during(printCall(context, engine, request, call));
  }
  const { buildImage } = await import('../../engine/build.ts');
  const display = openDisplay(choice, stderr, env, (line) => context.warn(line));
  const warnings: BuildWarning[] = [];
  let source: BuildOutcome['dockerfile'] | undefined;
  const building = buildImage(engine, request, (event) => {
    if (event.kind === 'warning') warnings.push(event.warning);
    // What is under way when the build is given up is given up with it, whatever it says.
    const isOver = event.kind === 'failed' && interrupt.signal.aborted;
    display.event(isOver ? { ...event, cancelled: true } : event);
  });
  try {
    const { imageId, dockerfile } = await interrupt.during(building);
    source = dockerfile;
    if (choice.printId && imageId !== undefined) await context.print(`${imageId}\n`);
    return 0;
  } finally {
    display.end();
    if (choice.mode === 'tty' || choice.mode === 'plain') {
      const colour = stderr.isTTY === true && !env['NO_COLOR'];
      stderr.write(warningsText(warnings, { whole: flags.debug, colour, source }));
    }
  }
}
