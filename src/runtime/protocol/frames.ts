/** yamux frame headers, as published in hashicorp/yamux `spec.md`; see docs/protocol.md section 2. */

export const FRAME_HEADER_BYTES = 12;
export const INITIAL_WINDOW = 262_144;
export const MAX_WINDOW = 16 * 1024 * 1024;

export const FrameType = { data: 0, windowUpdate: 1, ping: 2, goAway: 3 } as const;
export const FrameFlag = { syn: 1, ack: 2, fin: 4, rst: 8 } as const;

const ALL_FLAGS = 15;

export interface FrameHeader {
  type: number;
  flags: number;
  streamId: number;
  /** Payload bytes of a DATA frame; the delta, value or code of the others. */
  length: number;
}

/** The peer broke the protocol; the session must end. `message` says how. */
export class ProtocolError extends Error {
  override name = 'ProtocolError';
  /** The bytes at fault, where they are one message or line. */
  readonly raw: Buffer | undefined;

  constructor(message: string, raw?: Buffer) {
    super(message);
    this.raw = raw;
  }
}

export function encodeFrameHeader(header: FrameHeader): Buffer {
  const bytes = Buffer.allocUnsafe(FRAME_HEADER_BYTES);
  bytes[0] = 0;
  bytes[1] = header.type;
  bytes.writeUInt16BE(header.flags, 2);
  bytes.writeUInt32BE(header.streamId, 4);
  bytes.writeUInt32BE(header.length, 8);
  return bytes;
}

/**
 * Reads the header at `offset`, where twelve bytes must be present.
 * @throws ProtocolError on an unknown version, type or flag, or a stream id that the type does not allow.
 */
export function decodeFrameHeader(bytes: Buffer, offset = 0): FrameHeader {
  const version = bytes.readUInt8(offset);
  if (version !== 0) throw new ProtocolError(`unknown frame version ${version}`);
  const type = bytes.readUInt8(offset + 1);
  if (type > FrameType.goAway) throw new ProtocolError(`unknown frame type ${type}`);
  const flags = bytes.readUInt16BE(offset + 2);
  if ((flags & ~ALL_FLAGS) !== 0) throw new ProtocolError(`unknown frame flags ${flags}`);
  const streamId = bytes.readUInt32BE(offset + 4);
  const forSession = type === FrameType.ping || type === FrameType.goAway;
  if (forSession !== (streamId === 0)) {
    throw new ProtocolError(`frame type ${type} on stream ${streamId}`);
  }
  return { type, flags, streamId, length: bytes.readUInt32BE(offset + 8) };
}
