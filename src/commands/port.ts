/** `port`: where the published ports of a box are. */
import { inspectBox } from '../engine/inspect.ts';
import { A3sError } from '../errors.ts';
import { goQuote } from '../go-quote.ts';
import { defineCommand } from './command.ts';

export const port = defineCommand({
  summary: 'List port mappings or a specific mapping for the box',
  usage: 'BOX [PRIVATE_PORT[/PROTO]]',
  args: { min: 1, max: 2 },
  flags: {},
  examples: [
    ['web', 'All published ports'],
    ['web 80/tcp', 'Where port 80 is published'],
  ],
  async run(context, { args }) {
    const [box = '', wanted] = args;
    const { NetworkSettings } = await inspectBox(await context.engine(), box);
    const published = Object.entries(NetworkSettings.Ports).flatMap(([key, bindings]) =>
      (bindings ?? []).map(({ HostIp, HostPort }) => ({ key, address: `${HostIp}:${HostPort}` })),
    );
    if (wanted === undefined || wanted === '') {
      const lines = published.map(({ key, address }) => `${key} -> ${address}\n`);
      await context.print(lines.toSorted(inNumbers).join(''));
      return;
    }
    const key = portKey(wanted);
    const addresses = published.filter((each) => each.key === key).map(({ address }) => `${address}\n`);
    if (addresses.length === 0) {
      throw new A3sError('usage', `Error: No public port '${wanted}' published for ${box}`);
    }
    await context.print(addresses.toSorted(inNumbers).join(''));
  },
});

/** `80` or `80/tcp` as `80/tcp`. */
function portKey(text: string): string {
  const [number = '', protocol = ''] = text.split('/', 2);
  if (!/^\d+$/.test(number)) {
    const words = `strconv.ParseUint: parsing ${goQuote(number)}: invalid syntax`;
    throw new A3sError('usage', `Error: invalid port (${number}): ${words}`);
  }
  if (Number(number) > 65_535) {
    const words = `strconv.ParseUint: parsing ${goQuote(number)}: value out of range`;
    throw new A3sError('usage', `Error: invalid port (${number}): ${words}`);
  }
  return `${Number(number)}/${protocol === '' ? 'tcp' : protocol}`;
}

/** Numbers in the text by their value. */
function inNumbers(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}
