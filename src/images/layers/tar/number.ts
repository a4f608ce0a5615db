/** Numbers in tar headers: octal digits, GNU's base-256, and the decimals of PAX records (POSIX.1-2017 pax; GNU tar manual). */

/**
 * A number field of a header block.
 * @returns NaN when it holds no number, or none that a double keeps exactly.
 */
export function headerNumber(block: Buffer, offset: number, length: number): number {
  const first = block[offset] ?? 0;
  return first >= 0x80 ? base256(block, offset, length) : octal(block, offset, length);
}

/** Spaces and NULs may surround the digits; a field without digits is 0, as Go and GNU tar have it. */
function octal(block: Buffer, offset: number, length: number): number {
  let value = 0;
  let at = offset;
  const end = offset + length;
  const isBlank = (): boolean => block[at] === 0x20 || block[at] === 0;
  while (at < end && isBlank()) at += 1;
  for (; at < end && !isBlank(); at += 1) {
    const digit = (block[at] ?? 0) - 0x30;
    if (digit < 0 || digit > 7) return Number.NaN;
    // Twelve digits at most: exact.
    value = value * 8 + digit;
  }
  return value;
}

/** Two's complement, big-endian; the top bit only marks the form, the one below is the sign. */
function base256(block: Buffer, offset: number, length: number): number {
  const negative = ((block[offset] ?? 0) & 0x40) !== 0;
  let value = 0n;
  for (let n = 0; n < length; n += 1) value = (value << 8n) | BigInt(block[offset + n] ?? 0);
  const bits = BigInt(8 * length - 1);
  const magnitude = value & ((1n << bits) - 1n);
  return exact(Number(negative ? magnitude - (1n << bits) : magnitude));
}

function exact(value: number): number {
  return Number.isSafeInteger(value) ? value : Number.NaN;
}

/** A decimal of a PAX record, without sign or fraction; NaN otherwise. */
export function paxInteger(text: string): number {
  return /^\d{1,16}$/.test(text) ? exact(Number(text)) : Number.NaN;
}

/** A time of a PAX record in whole seconds, rounded down; NaN when it is none. */
export function paxSeconds(text: string): number {
  const match = /^(-?\d{1,16})(?:\.(\d*))?$/.exec(text);
  if (match === null) return Number.NaN;
  const whole = Number(match[1]);
  const hasFraction = /[1-9]/.test(match[2] ?? '');
  return exact(text.startsWith('-') && hasFraction ? whole - 1 : whole);
}
