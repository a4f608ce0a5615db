/** `version`: this program, and what it is made of. */
import { systemInfo } from '../engine/info.ts';
import { defineCommand } from './command.ts';
import { templateFlag } from './format-flag.ts';

/** The Docker Engine API whose words and rules the commands follow. */
const API_VERSION = '1.51';

export const version = defineCommand({
  summary: 'Show the a3s-box version information',
  usage: '[OPTIONS]',
  args: { min: 0, max: 0 },
  flags: { format: templateFlag },
  examples: [
    ['', 'The version of every part'],
    ["-f '{{.Client.Version}}'", 'One value of it'],
  ],
  async run(context, { flags }) {
    const info = await systemInfo(await context.engine());
    const { qemuVersion, kernelVersion, agentVersion } = info.host;
    const arch = process.arch === 'x64' ? 'amd64' : process.arch;
    const common = { Version: info.version, ApiVersion: API_VERSION, Os: process.platform, Arch: arch };
    const components = [
      { Name: 'a3s-box', Version: info.version },
      { Name: 'QEMU', Version: qemuVersion ?? 'not found' },
      { Name: 'Guest kernel', Version: kernelVersion ?? 'not found' },
      { Name: 'Guest agent', Version: agentVersion ?? 'not found' },
    ];
    if (flags.format !== undefined && flags.format !== '') {
      const { renderer } = await import('../output/template/document.ts');
      const render = renderer(flags.format, 'version', 'system.versionInfo');
      const server = { ...common, Components: components };
      const client = { ...common, NodeVersion: info.nodeVersion };
      await context.print(`${render({ Client: client, Server: server })}\n`);
      return;
    }
    await context.print(`Client:
 Version:           ${info.version}
 API version:       ${API_VERSION}
 Node version:      ${info.nodeVersion}
 OS/Arch:           ${process.platform}/${arch}

Box runtime:
${components
  .slice(1)
  .map(({ Name, Version }) => ` ${`${Name}:`.padEnd(19)}${Version}`)
  .join('\n')}
`);
  },
});
