/** A monitor's descriptor of the connection to who has started it: a command, or the keeper that wants a warm box. */
export const LAUNCH_FD = 3;
