/** Restart policies: what a record's `restart_policy` says, and whether a box that ended runs again. Pure. */

export type PolicyName = 'no' | 'always' | 'unless-stopped' | 'on-failure';

export interface RestartPolicy {
  name: PolicyName;
  /** Of `on-failure`: how often at most; 0 for no limit. */
  maximumRetryCount: number;
}

/** A policy as records have it: a name, `on-failure` with a count if it has one. */
export const POLICY_PATTERN = /^(?:no|always|unless-stopped|on-failure(?::[1-9]\d{0,8})?)$/;

/** The policy in a record. What the check of records lets through has no other form. */
export function policyOf(text: string): RestartPolicy {
  const [name = '', count = '0'] = text.split(':');
  return { name: isPolicyName(name) ? name : 'no', maximumRetryCount: Number(count) };
}

export function isPolicyName(name: string): name is PolicyName {
  return ['no', 'always', 'unless-stopped', 'on-failure'].includes(name);
}

export interface EndedBox {
  restart_policy: string;
  /** How often its policy has started it since a user did. */
  restart_count: number;
  /** A user asked for the end. */
  stopped_by_user: boolean;
  exit_code: number;
}

/** Whether the policy starts the box again (moby, restartmanager). What a user has stopped stays so, whatever the policy. */
export function restarts(box: EndedBox): boolean {
  if (box.stopped_by_user) return false;
  const { name, maximumRetryCount } = policyOf(box.restart_policy);
  if (name === 'on-failure') {
    return box.exit_code !== 0 && (maximumRetryCount === 0 || box.restart_count < maximumRetryCount);
  }
  return name !== 'no';
}
