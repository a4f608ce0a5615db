/** Which words name which command. A command's file is loaded when it is called, or for help. */
import { KEEPER_COMMAND } from '../engine/pool/keeper-command.ts';
import type { Command } from './command.ts';

type Load = () => Promise<Command>;

const loaders = {
  build: async () => (await import('./builds/build.ts')).build,
  run: async () => (await import('./run.ts')).run,
  create: async () => (await import('./create.ts')).create,
  start: async () => (await import('./start.ts')).start,
  stop: async () => (await import('./stop.ts')).stop,
  restart: async () => (await import('./restart.ts')).restart,
  pause: async () => (await import('./pause.ts')).pause,
  unpause: async () => (await import('./pause.ts')).unpause,
  wait: async () => (await import('./wait.ts')).wait,
  rename: async () => (await import('./rename.ts')).rename,
  update: async () => (await import('./update.ts')).update,
  port: async () => (await import('./port.ts')).port,
  containerPrune: async () => (await import('./container-prune.ts')).containerPrune,
  kill: async () => (await import('./kill.ts')).kill,
  rm: async () => (await import('./rm.ts')).rm,
  exec: async () => (await import('./exec.ts')).exec,
  logs: async () => (await import('./logs.ts')).logs,
  ps: async () => (await import('./ps.ts')).ps,
  inspect: async () => (await import('./inspect.ts')).inspect,
  images: async () => (await import('./images.ts')).images,
  history: async () => (await import('./history.ts')).history,
  imageInspect: async () => (await import('./inspect.ts')).imageInspect,
  imagePrune: async () => (await import('./image-prune.ts')).imagePrune,
  import: async () => (await import('./import.ts')).importCommand,
  load: async () => (await import('./load.ts')).load,
  save: async () => (await import('./save.ts')).save,
  pull: async () => (await import('./pull.ts')).pull,
  push: async () => (await import('./push.ts')).push,
  rmi: async () => (await import('./rmi.ts')).rmi,
  tag: async () => (await import('./tag.ts')).tag,
  info: async () => (await import('./info.ts')).info,
  login: async () => (await import('./login.ts')).login,
  logout: async () => (await import('./logout.ts')).logout,
  search: async () => (await import('./search.ts')).search,
  version: async () => (await import('./version.ts')).version,
  volumeCreate: async () => (await import('./volume/create.ts')).volumeCreate,
  volumeInspect: async () => (await import('./inspect.ts')).volumeInspect,
  volumeLs: async () => (await import('./volume/ls.ts')).volumeLs,
  volumePrune: async () => (await import('./volume/prune.ts')).volumePrune,
  volumeRm: async () => (await import('./volume/rm.ts')).volumeRm,
  events: async () => (await import('./events.ts')).events,
  builderDu: async () => (await import('./builder/du.ts')).builderDu,
  buildxPrune: async () => (await import('./builder/prune.ts')).buildxPrune,
  builderPrune: async () => (await import('./builder/prune.ts')).builderPrune,
  systemDf: async () => (await import('./system/df.ts')).systemDf,
  systemPrune: async () => (await import('./system/prune.ts')).systemPrune,
  poolStart: async () => (await import('./pool/start.ts')).poolStart,
  poolStop: async () => (await import('./pool/stop.ts')).poolStop,
  poolStatus: async () => (await import('./pool/status.ts')).poolStatus,
  poolLs: async () => (await import('./pool/ls.ts')).poolLs,
  keepPools: async () => (await import('./pool/keep.ts')).keepPools,
  completion: async () => (await import('./completion.ts')).completion,
  complete: async () => (await import('./completion/complete.ts')).complete,
  attach: async () => (await import('./attach.ts')).attach,
  commit: async () => (await import('./commit.ts')).commit,
  cp: async () => (await import('./cp.ts')).cp,
  diff: async () => (await import('./diff.ts')).diff,
  export: async () => (await import('./export.ts')).exportCommand,
  stats: async () => (await import('./stats.ts')).stats,
  top: async () => (await import('./top.ts')).top,
  containerInspect: async () => (await import('./inspect.ts')).containerInspect,
} satisfies Record<string, Load>;

type CommandName = keyof typeof loaders;

export interface Group {
  summary: string;
  /** The names help shows; `aliases` maps further ones to them. */
  commands: Readonly<Record<string, CommandName>>;
  aliases: Readonly<Record<string, string>>;
}

/** The commands that have a plain name, in the order of help. */
export const plain: readonly CommandName[] = [
  'run',
  'exec',
  'ps',
  'build',
  'pull',
  'push',
  'images',
  'login',
  'logout',
  'search',
  'version',
  'info',
  'attach',
  'commit',
  'completion',
  'cp',
  'create',
  'diff',
  'events',
  'export',
  'history',
  'import',
  'inspect',
  'kill',
  'load',
  'logs',
  'pause',
  'port',
  'rename',
  'restart',
  'rm',
  'rmi',
  'save',
  'start',
  'stats',
  'stop',
  'tag',
  'top',
  'unpause',
  'update',
  'wait',
];

/** How many of `plain` head the list in help. */
export const COMMON = 12;

export const groups: Readonly<Record<string, Group>> = {
  builder: {
    summary: 'Manage builds',
    commands: { build: 'build', du: 'builderDu', prune: 'builderPrune' },
    aliases: {},
  },
  buildx: {
    summary: 'Docker Buildx',
    commands: { build: 'build', du: 'builderDu', prune: 'buildxPrune' },
    aliases: { b: 'build' },
  },
  container: {
    summary: 'Manage boxes',
    commands: {
      attach: 'attach',
      commit: 'commit',
      cp: 'cp',
      create: 'create',
      diff: 'diff',
      exec: 'exec',
      export: 'export',
      inspect: 'containerInspect',
      kill: 'kill',
      logs: 'logs',
      ls: 'ps',
      pause: 'pause',
      port: 'port',
      prune: 'containerPrune',
      rename: 'rename',
      restart: 'restart',
      rm: 'rm',
      run: 'run',
      start: 'start',
      stats: 'stats',
      stop: 'stop',
      top: 'top',
      unpause: 'unpause',
      update: 'update',
      wait: 'wait',
    },
    aliases: { list: 'ls', ps: 'ls', remove: 'rm' },
  },
  image: {
    summary: 'Manage images',
    commands: {
      build: 'build',
      history: 'history',
      import: 'import',
      inspect: 'imageInspect',
      load: 'load',
      ls: 'images',
      prune: 'imagePrune',
      pull: 'pull',
      push: 'push',
      rm: 'rmi',
      save: 'save',
      tag: 'tag',
    },
    aliases: { list: 'ls', remove: 'rm' },
  },
  volume: {
    summary: 'Manage volumes',
    commands: {
      create: 'volumeCreate',
      inspect: 'volumeInspect',
      ls: 'volumeLs',
      prune: 'volumePrune',
      rm: 'volumeRm',
    },
    aliases: { list: 'ls', remove: 'rm' },
  },
  pool: {
    summary: 'Manage boxes that are kept warm',
    commands: { ls: 'poolLs', start: 'poolStart', status: 'poolStatus', stop: 'poolStop' },
    aliases: { list: 'ls' },
  },
  system: {
    summary: 'Manage a3s-box',
    commands: { df: 'systemDf', events: 'events', info: 'info', prune: 'systemPrune' },
    aliases: {},
  },
};

/** Docker's commands that are not there yet; `rm` of a group is an entry of its own. */
const LATER: Readonly<Record<string, string>> = {
  '': `checkpoint compose config context manifest network node plugin secret service stack
    swarm trust`,
  buildx: 'bake create debug dial-stdio history imagetools inspect ls rm stop use version',
  container: '',
  image: '',
  volume: 'update',
};

/** True for a command of Docker's that this version lacks; `path` is its name, after a group's where it is in one. */
export function isDockers(path: string): boolean {
  const [first = '', second] = path.split(' ');
  const names = LATER[second === undefined ? '' : first] ?? '';
  return names.split(/\s+/).includes(second ?? first);
}

/** Loads a command by its registry name. */
export function load(name: CommandName): Promise<Command> {
  return loaders[name]();
}

export type Found =
  | { kind: 'command'; path: string; name: CommandName; rest: string[] }
  | { kind: 'group'; path: string; group: Group; rest: string[] }
  | { kind: 'unknown'; path: string; group: string | undefined };

/** Finds what the words name; `rest` is what follows them. There is at least one word. */
export function find(words: readonly string[]): Found {
  const [first = '', second, ...others] = words;
  // Asked by shells alone; no list shows it.
  if (first === '__complete') return { kind: 'command', path: first, name: 'complete', rest: words.slice(1) };
  if (first === KEEPER_COMMAND)
    return { kind: 'command', path: first, name: 'keepPools', rest: words.slice(1) };
  const name = plain.find((each) => each === first);
  if (name !== undefined) return { kind: 'command', path: name, name, rest: words.slice(1) };
  const group = Object.hasOwn(groups, first) ? groups[first] : undefined;
  if (group === undefined) return { kind: 'unknown', path: first, group: undefined };
  if (second === undefined || second.startsWith('-')) {
    return { kind: 'group', path: first, group, rest: words.slice(1) };
  }
  const sub = Object.hasOwn(group.aliases, second) ? (group.aliases[second] ?? second) : second;
  const target = Object.hasOwn(group.commands, sub) ? group.commands[sub] : undefined;
  if (target === undefined) return { kind: 'unknown', path: `${first} ${second}`, group: first };
  return { kind: 'command', path: `${first} ${sub}`, name: target, rest: others };
}

/** Every way to spell the command, for help. */
export function spellings(name: CommandName): string[] {
  const grouped = Object.entries(groups).flatMap(([word, group]) =>
    Object.entries(group.commands)
      .filter(([, target]) => target === name)
      .flatMap(([sub]) => {
        const aliases = Object.keys(group.aliases).filter((alias) => group.aliases[alias] === sub);
        return [sub, ...aliases.toSorted()].map((last) => `${word} ${last}`);
      }),
  );
  return plain.includes(name) ? [...grouped, name] : grouped;
}
