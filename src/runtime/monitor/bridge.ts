/** exec.sock and agent.sock: each connection becomes a stream to a guest port, byte for byte. */
import { chmodSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';

import type { AgentLink } from '../agent-link.ts';

/** Bytes from a host connection that may wait for the guest. */
const HIGH_WATER = 1024 * 1024;
const MAX_CONNECTIONS = 200;

/** A port of the guest. */
export interface GuestPort {
  link: AgentLink;
  port: number;
  /** False for a guest that stands still: a connection would only hang. */
  answers: () => boolean;
}

/** Listens on `path` and joins every connection to the guest's port; while nobody answers there it is closed at once. */
export function bridgeSocket(guest: GuestPort, path: string, failed: (error: Error) => void): Server {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    if (guest.answers()) join(guest, socket);
    else socket.destroy();
  });
  server.maxConnections = MAX_CONNECTIONS;
  listenPrivately(server, path, failed);
  return server;
}

/** Listens on a unix socket that only its owner may open. */
export function listenPrivately(server: Server, path: string, failed: (error: Error) => void): void {
  server.on('error', failed);
  server.listen(path, () => chmodSync(path, 0o600));
}

function join({ link, port }: GuestPort, socket: Socket): void {
  let stream;
  try {
    stream = link.connect(port);
  } catch {
    // Too many streams, or the session is over.
    socket.destroy();
    return;
  }
  const opened = stream;
  opened.listen({
    data: (chunk) => {
      if (socket.destroyed) opened.consume(chunk.length);
      else socket.write(chunk, () => opened.consume(chunk.length));
    },
    end: () => socket.end(),
    error: () => socket.destroy(),
    drain: () => socket.resume(),
  });
  socket.on('data', (chunk: Buffer) => {
    opened.write(chunk);
    if (opened.queuedBytes > HIGH_WATER) socket.pause();
  });
  socket.on('end', () => opened.end());
  socket.on('error', () => socket.destroy());
  // As with Docker, a command outlives a client that vanished: its input ends, and its output finds no reader.
  socket.on('close', () => opened.end());
}
