import { expect, test } from 'vitest';

import { parseFloat64, parseInt64, parseUnsigned } from '../../src/go-numbers.ts';

test.each([
  ['0', 0],
  ['-12', -12],
  ['+1', 1],
  ['0x_1F', 31],
  ['0b101', 5],
  ['0o17', 15],
  ['017', 15],
  ['0_7', 7],
  ['1_000', 1000],
  ['9007199254740991', Number.MAX_SAFE_INTEGER],
])('%s is the integer %d', (text, value) => {
  expect(parseInt64(text, 0)).toBe(value);
});

test.each(['', ' ', ' 1', '1.0', '1e3', '08', '0x', '0b12', '1__0', '_1', '1_', 'ü'])(
  '%j is no integer',
  (text) => {
    expect(() => parseInt64(text, 0)).toThrow(
      expect.objectContaining({
        message: `strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`,
      }),
    );
  },
);

test('an integer that a number does not hold exactly is out of range', () => {
  expect(() => parseInt64('-9007199254740992', 0)).toThrow(
    expect.objectContaining({ message: 'strconv.ParseInt: parsing "-9007199254740992": value out of range' }),
  );
});

test('in base 10 a leading zero says nothing, and there are no prefixes', () => {
  expect(parseInt64('-010', 10)).toBe(-10);
  expect(() => parseInt64('0x10', 10)).toThrow('invalid syntax');
  expect(() => parseInt64('1_0', 10)).toThrow('invalid syntax');
});

test('an unsigned number has a greatest', () => {
  expect(parseUnsigned('65535', 65_535)).toBe(65_535);
  expect(() => parseUnsigned('65536', 65_535)).toThrow(
    'strconv.ParseUint: parsing "65536": value out of range',
  );
  expect(() => parseUnsigned('+1', 65_535)).toThrow('strconv.ParseUint: parsing "+1": invalid syntax');
});

test.each([
  ['1', 1],
  ['-.5', -0.5],
  ['5.', 5],
  ['1e3', 1000],
])('%s is the number %d', (text, value) => {
  expect(parseFloat64(text)).toBe(value);
});

test.each(['', '.', '1.5.5', 'e3', '0x10', 'inf'])('%j is no number', (text) => {
  expect(() => parseFloat64(text)).toThrow(`strconv.ParseFloat: parsing "${text}": invalid syntax`);
});
