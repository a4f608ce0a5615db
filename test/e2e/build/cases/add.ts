/** ADD of local files. What it fetches is in its own test, which has servers. */
import type { BuildCase } from '../fixture/case.ts';

export const ADD_CASES: readonly BuildCase[] = [
  {
    name: 'ADD copies a file as COPY does',
    dockerfile: 'FROM scratch\nADD --chown=3:4 --chmod=640 f /d/\n',
    files: { f: 'x' },
    buildah: true,
    except: ['d'],
    tree: { d: 'dir 0640 3:4', 'd/f': 'file 0640 3:4 "x"' },
    history: ['ADD --chown=3:4 --chmod=640 f /d/ # buildkit'],
  },
  {
    name: 'ADD of a directory',
    dockerfile: 'FROM scratch\nADD d /x/\n',
    files: { 'd/a': '1', 'd/b/c': '2' },
    buildah: true,
    tree: { 'x/a': 'file 0644 0:0 "1"', 'x/b/c': 'file 0644 0:0 "2"' },
  },
  {
    name: 'ADD of documents in the Dockerfile',
    dockerfile: 'FROM scratch\nADD <<a <<b /d/\n1\na\n2\nb\n',
    buildah: 'buildah 1.28 does not know heredocs',
    tree: { 'd/a': 'file 0644 0:0 "1\\n"', 'd/b': 'file 0644 0:0 "2\\n"' },
  },
];
