/** Signals sent to the command go to the process in the box. */
import { constants } from 'node:os';

/** Not passed on: they concern this process alone, or cannot be caught. */
const OWN = new Set([
  'SIGCHLD',
  'SIGPIPE',
  'SIGURG',
  'SIGWINCH',
  'SIGKILL',
  'SIGSTOP',
  'SIGPROF',
  'SIGSEGV',
  'SIGBUS',
  'SIGFPE',
  'SIGILL',
]);

/** So many requests to end, and the command leaves the box alone and ends; as Docker's client does. */
const PATIENCE = 3;

/**
 * Passes signals on until disposed.
 * @param onImpatience called at the third SIGINT or SIGTERM
 */
export function proxySignals(send: (signal: number) => void, onImpatience: () => void): Disposable {
  let endings = 0;
  const listeners = Object.keys(constants.signals)
    .filter(isProxied)
    .map((name) => {
      const listener = (): void => {
        if (name === 'SIGINT' || name === 'SIGTERM') endings += 1;
        if (endings >= PATIENCE) onImpatience();
        else send(constants.signals[name]);
      };
      process.on(name, listener);
      return [name, listener] as const;
    });
  return {
    [Symbol.dispose]: () => {
      for (const [name, listener] of listeners) process.removeListener(name, listener);
    },
  };
}

function isProxied(name: string): name is NodeJS.Signals {
  return !OWN.has(name);
}

const ENDING = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

/** Calls back instead of dying, so that the terminal can be put back first. Disposing stops that. */
export function endOnSignals(onSignal: (signal: number) => void): Disposable {
  const listener = (name: NodeJS.Signals): void => onSignal(constants.signals[name]);
  for (const name of ENDING) process.on(name, listener);
  return {
    [Symbol.dispose]: () => {
      for (const name of ENDING) process.removeListener(name, listener);
    },
  };
}
