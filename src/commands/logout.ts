/** `logout`: forgets the credentials of a registry. */
import { logout as logOut, parseServer } from '../engine/registry/login.ts';
import { defineCommand } from './command.ts';
import { describe } from './failure.ts';

export const logout = defineCommand({
  summary: 'Log out from a registry',
  usage: '[SERVER]',
  args: { min: 0, max: 1 },
  flags: {},
  examples: [['registry.example.org', 'Forgets the password']],
  async run(context, { args }) {
    const server = parseServer(args[0]);
    await context.print(`Removing login credentials for ${server.key}\n`);
    const failures = await logOut(server, context.env);
    if (failures.size === 0) return;
    context.warn('WARNING: could not erase credentials:');
    for (const [name, error] of failures) context.warn(`${name}: ${describe(error)}`);
  },
});
