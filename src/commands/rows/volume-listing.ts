/** What `volume ls` shows, by Docker's field names. */
import type { Listing } from '../../output/listing.ts';
import type { ListedVolume } from './volume-filter.ts';

/** Of volumes that are not in a cluster. */
const NONE = 'N/A';

export const volumeListing: Listing<ListedVolume> = {
  fields: {
    Name: { heading: 'VOLUME NAME', value: ({ Name }) => Name },
    Driver: { heading: 'DRIVER', value: ({ Driver }) => Driver },
    Scope: { heading: 'SCOPE', value: ({ Scope }) => Scope },
    Mountpoint: { heading: 'MOUNTPOINT', value: ({ Mountpoint }) => Mountpoint },
    Labels: {
      heading: 'LABELS',
      value: ({ Labels }) =>
        Object.entries(Labels ?? {})
          .map(([key, value]) => `${key}=${value}`)
          .toSorted()
          .join(','),
    },
    Links: { heading: 'LINKS', value: () => NONE },
    Size: { heading: 'SIZE', value: () => NONE },
    Group: { heading: 'GROUP', value: () => NONE },
    Availability: { heading: 'AVAILABILITY', value: () => NONE },
    Status: { heading: 'STATUS', value: () => NONE },
  },
  methods: {
    Label: {
      heading: (key) => (key.split('.').at(-1) ?? key).replaceAll(/[-_]/g, ' '),
      value: ({ Labels }, key) => (Labels !== null && Object.hasOwn(Labels, key) ? (Labels[key] ?? '') : ''),
    },
  },
  table: ['Driver', 'Name'],
  id: 'Name',
  typeName: 'volumeContext',
};
