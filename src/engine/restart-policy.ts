/** Restart policies as `--restart` takes them (docker/cli, opts.ParseRestartPolicy; moby, ValidateRestartPolicy). */
import { A3sError } from '../errors.ts';
import { isPolicyName } from '../state/restart-policy.ts';

/** Larger counts are no count. */
const MAX_COUNT = 999_999_999;

/**
 * The policy as records have it.
 * @throws A3sError `usage` where Docker's client refuses it, `invalid_config` where its engine does.
 */
export function parseRestartPolicy(text: string): string {
  if (text === '') return 'no';
  const colon = text.indexOf(':');
  const name = colon < 0 ? text : text.slice(0, colon);
  const count = colon < 0 ? '' : text.slice(colon + 1);
  if (name === '') throw format('no policy provided before colon');
  if (count !== '' && !isCount(count)) throw format('maximum retry count must be an integer');
  if (!isPolicyName(name)) {
    throw policy(`unknown policy '${name}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'`);
  }
  const retries = Number(count);
  if (name !== 'on-failure' && retries !== 0) {
    const negative = retries < 0 ? ' and cannot be negative' : '';
    throw policy(`maximum retry count can only be used with 'on-failure'${negative}`);
  }
  if (retries < 0) throw policy('maximum retry count cannot be negative');
  return retries === 0 ? name : `${name}:${retries}`;
}

function isCount(text: string): boolean {
  return /^[+-]?\d+$/.test(text) && Math.abs(Number(text)) <= MAX_COUNT;
}

function format(what: string): A3sError {
  return new A3sError('usage', `invalid restart policy format: ${what}`);
}

function policy(what: string): A3sError {
  return new A3sError('invalid_config', `invalid restart policy: ${what}`);
}
