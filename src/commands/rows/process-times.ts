/** Times as `ps` (procps) shows them. Pure but for the local time zone. */

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

/** `[D-]HH:MM:SS`; `short` leaves hours out that are none. `seconds` may have a fraction. */
export function daysAndTime(seconds: number, short = false): string {
  const [days, hours] = [Math.floor(seconds / DAY), Math.floor((seconds % DAY) / HOUR)];
  const rest = `${two((seconds % HOUR) / MINUTE)}:${two(seconds % MINUTE)}`;
  if (days > 0) return `${days}-${two(hours)}:${rest}`;
  return short && hours === 0 ? rest : `${two(hours)}:${rest}`;
}

/** `M:SS`. */
export function minutes(seconds: number): string {
  return `${Math.floor(seconds / MINUTE)}:${two(seconds % MINUTE)}`;
}

/** `21:20` within a day, `Nov20` before. Seconds since 1970. */
export function startTime(started: number, now: number): string {
  const date = new Date(started * 1000);
  if (now - started < DAY) return `${two(date.getHours())}:${two(date.getMinutes())}`;
  return `${MONTHS[date.getMonth()]}${two(date.getDate())}`;
}

/** `Fri Nov 20 21:20:01 2026`. Seconds since 1970. */
export function longTime(started: number): string {
  const date = new Date(started * 1000);
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':');
  const day = String(date.getDate()).padStart(2, ' ');
  return `${WEEKDAYS[date.getDay()]} ${MONTHS[date.getMonth()]} ${day} ${time} ${date.getFullYear()}`;
}

function two(value: number): string {
  return String(Math.floor(value)).padStart(2, '0');
}
