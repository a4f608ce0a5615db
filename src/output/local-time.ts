/** A time in the reader's own zone, as Go prints one: `2026-11-21 09:41:38 +0000 UTC`. */
export function localTime(date: Date): string {
  const { day, time, sign, hours, minutes } = partsOf(date);
  const shift = `${sign}${hours}${minutes}`;
  return `${day} ${time} ${shift} ${zoneName(date) ?? shift}`;
}

/** A time in the reader's own zone by RFC 3339: `2026-11-21T09:41:38Z`. */
export function rfc3339(date: Date): string {
  const { day, time, sign, hours, minutes } = partsOf(date);
  return `${day}T${time}${hours === '00' && minutes === '00' ? 'Z' : `${sign}${hours}:${minutes}`}`;
}

function partsOf(date: Date) {
  const two = (value: number): string => String(Math.trunc(value)).padStart(2, '0');
  const offset = -date.getTimezoneOffset();
  const size = Math.abs(offset);
  return {
    day: `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`,
    time: `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`,
    sign: offset < 0 ? '-' : '+',
    hours: two(size / 60),
    minutes: two(size % 60),
  };
}

function zoneName(date: Date): string | undefined {
  return new Intl.DateTimeFormat('en-US', { timeZoneName: 'short' })
    .formatToParts(date)
    .find((part) => part.type === 'timeZoneName')?.value;
}
