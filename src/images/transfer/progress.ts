/** What pulls and pushes tell while they are under way, in Docker's words. */

export type LayerStatus =
  | 'Pulling fs layer'
  | 'Waiting'
  | 'Downloading'
  | 'Download complete'
  | 'Extracting'
  | 'Pull complete'
  | 'Already exists'
  | 'Loading layer'
  | 'Loaded'
  | 'Preparing'
  | 'Pushing'
  | 'Pushed'
  | 'Layer already exists'
  | `Mounted from ${string}`;

export interface TransferProgress {
  /** A line of its own. */
  line(text: string): void;
  /** A layer, by the first 12 digits of its digest; bytes so far and in all where they are known. */
  layer(id: string, status: LayerStatus, bytes?: { done: number; total: number }): void;
}

/** How a layer is called in progress. */
export function layerName(digest: string): string {
  return digest.slice('sha256:'.length, 'sha256:'.length + 12);
}
