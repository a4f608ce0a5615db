/** What `history` shows, by Docker's field names. */
import type { HistoryStep } from '../../engine/history.ts';
import { timeAgo } from '../../output/human-duration.ts';
import { humanSize } from '../../output/human-size.ts';
import type { Listing } from '../../output/listing.ts';
import { rfc3339 } from '../../output/local-time.ts';
import { ellipsis } from '../../output/truncate.ts';
import { shortDigest } from './image-listing.ts';

const CREATED_BY_WIDTH = 45;

export interface HistoryListingOptions {
  truncate: boolean;
  /** Sizes and times for people. */
  human: boolean;
  now: Date;
}

export function historyListing({ truncate, human, now }: HistoryListingOptions): Listing<HistoryStep> {
  const createdAt = ({ created }: HistoryStep): string => (created === '' ? '' : rfc3339(new Date(created)));
  return {
    fields: {
      ID: { heading: 'IMAGE', value: ({ id }) => (truncate && id !== '<missing>' ? shortDigest(id) : id) },
      CreatedSince: {
        heading: 'CREATED',
        value: (step) => {
          if (!human) return createdAt(step);
          return step.created === '' ? 'N/A' : timeAgo(new Date(step.created), now);
        },
      },
      CreatedAt: { heading: 'CREATED AT', value: createdAt },
      CreatedBy: {
        heading: 'CREATED BY',
        value: ({ createdBy }) => {
          const words = oneLine(createdBy);
          return truncate ? ellipsis(words, CREATED_BY_WIDTH) : words;
        },
      },
      Size: { heading: 'SIZE', value: ({ size }) => (human ? humanSize(size) : String(size)) },
      Comment: { heading: 'COMMENT', value: ({ comment }) => oneLine(comment) },
    },
    table: ['ID', human ? 'CreatedSince' : 'CreatedAt', 'CreatedBy', 'Size', 'Comment'],
    id: 'ID',
    typeName: 'historyContext',
  };
}

/** What an image says of itself must not steer the terminal. */
function oneLine(text: string): string {
  // oxlint-disable-next-line no-control-regex -- they are what is taken out
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, ' ');
}
