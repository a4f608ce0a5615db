/** Names of boxes. */
import { A3sError } from '../errors.ts';
import { NAME_PATTERN } from './record-check.ts';

const ADJECTIVES =
  'able agile amber ample apt bold brave breezy bright brisk calm candid clever cosy crisp curious daring deft eager early ' +
  'earnest easy fair fleet fond frank fresh gentle glad golden grand hardy hasty honest humble ideal jolly keen kind light ' +
  'lively loyal lucid lucky mellow merry mild modest neat nimble noble open patient plain plucky polite prime proud quick ' +
  'quiet rapid ready robust rosy round sage shiny silent simple sleek smart snug sober solid spry stable steady still stout ' +
  'sunny sure swift tender tidy trim true upbeat valid vivid warm wise witty young zesty';

const NOUNS =
  'acorn alder anchor aspen badger basin beacon beaver birch bison bridge brook canyon cedar cliff cloud comet coral crane ' +
  'creek dolphin dune eagle ember falcon fern finch fjord forest fox garnet geyser glacier grove gull harbor hare harvest ' +
  'heron hill hornet island jaguar juniper kestrel lagoon lantern larch lark laurel lemur lily lynx maple marmot marsh ' +
  'meadow mesa meteor moss mountain oak oasis ocean orchid osprey otter owl panda pebble pine plover pond poplar prairie ' +
  'puffin quail quartz rapids raven reef ridge river robin rowan salmon seal sparrow spruce stork stream summit swallow ' +
  'thicket tiger tulip tundra turtle valley walnut walrus willow wren';

/** As a volume's; Docker has no bound. */
const LONGEST = 240;

const adjectives = ADJECTIVES.split(' ');
const nouns = NOUNS.split(' ');

/** After so many collisions a number is appended, as Docker does. */
const PLAIN_TRIES = 6;

/** A name `adjective_noun` that is not among `taken`. */
export function generateName(taken: ReadonlySet<string>, random: () => number = Math.random): string {
  for (let attempt = 0; ; attempt += 1) {
    const plain = `${pick(adjectives, random)}_${pick(nouns, random)}`;
    const name = attempt < PLAIN_TRIES ? plain : `${plain}${Math.floor(random() * 10 ** (attempt - 4))}`;
    if (!taken.has(name)) return name;
  }
}

function pick(words: readonly string[], random: () => number): string {
  return words[Math.floor(random() * words.length)] ?? 'box';
}

/** @throws A3sError `invalid_config` in Docker's words when it is no name for a box. */
export function checkName(name: string): void {
  if (NAME_PATTERN.test(name) && name.length <= LONGEST) return;
  if (name.length > LONGEST) {
    throw new A3sError(
      'invalid_config',
      `Invalid container name (${name}), it has more than ${LONGEST} characters`,
    );
  }
  throw new A3sError(
    'invalid_config',
    `Invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`,
  );
}
