/** Identities of boxes. */
import { randomBytes } from '../random.ts';

export interface BoxId {
  /** UUID version 4, lower case. */
  id: string;
  /** Its first 12 hex digits, without dashes. */
  shortId: string;
}

/** A new identity. Its short form has 48 random bits; whoever stores it makes sure that it is not taken. */
export function newBoxId(): BoxId {
  const id = uuid4(randomBytes(16));
  return { id, shortId: id.replaceAll('-', '').slice(0, 12) };
}

/** A new identity with a short form that was chosen before, of which only the rest is drawn. */
export function newBoxIdFor(shortId: string): BoxId {
  const random = randomBytes(16);
  random.write(shortId, 0, 'hex');
  return { id: uuid4(random), shortId };
}

/** A UUID made of 16 random bytes, RFC 9562 section 5.4. */
export function uuid4(random: Buffer): string {
  const bytes = Buffer.from(random);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
