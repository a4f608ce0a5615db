/** A time in the reader's own zone, as Go prints one: `2026-11-21 09:41:38 +0000 UTC`. */
export function localTime(date: Date): string {
  const two = (value: number): string => String(Math.trunc(value)).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  const offset = -date.getTimezoneOffset();
  const size = Math.abs(offset);
  const shift = `${offset < 0 ? '-' : '+'}${two(size / 60)}${two(size % 60)}`;
  return `${day} ${time} ${shift} ${zoneName(date) ?? shift}`;
}

function zoneName(date: Date): string | undefined {
  return new Intl.DateTimeFormat('en-US', { timeZoneName: 'short' })
    .formatToParts(date)
    .find((part) => part.type === 'timeZoneName')?.value;
}
