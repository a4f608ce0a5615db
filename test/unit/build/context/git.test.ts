/** Repositories as contexts and as sources of ADD, from servers that run git's own programs. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';

import { fetchGit, type GitOptions, resolveGitCommit } from '../../../../src/build/context/git.ts';
import { openBuildContext } from '../../../../src/build/context/open-context.ts';
import { temporaryDirectory } from '../../../temporary.ts';
import { place, refusal, request } from './fixture.ts';
import { type Asked, Repository, serveDaemon, serveHttp } from './git-server.ts';

function options(overrides: Partial<GitOptions> = {}): GitOptions & { left: () => string[] } {
  return { ...place(overrides), checksum: '', ...overrides };
}

/** A repository with a branch, two kinds of tags and a directory. */
function sample(): { repository: Repository; first: string; second: string } {
  const repository = new Repository();
  const first = repository.commit({ Dockerfile: 'FROM scratch\n', 'sub/file': 'one' });
  repository.git('tag', 'light');
  repository.git('tag', '-a', 'noted', '-m', 'tag');
  repository.git('branch', 'side/line');
  const second = repository.commit({ 'sub/file': 'two' });
  repository.publish();
  return { repository, first, second };
}

const read = (directory: string, name: string): string => readFileSync(join(directory, name), 'utf8');

describe('a reference', () => {
  test.each([
    ['', 'two', 'second'],
    ['#trunk', 'two', 'second'],
    ['#side/line', 'one', 'first'],
    ['#light', 'one', 'first'],
    ['#noted', 'one', 'first'],
    ['#refs/tags/noted', 'one', 'first'],
    ['?branch=side/line', 'one', 'first'],
    ['?tag=light', 'one', 'first'],
    ['?ref=trunk', 'two', 'second'],
  ])('%j is checked out', async (suffix, content, which) => {
    const { repository, ...commits } = sample();
    const url = `${await serveHttp(repository.root)}/repo.git${suffix}`;
    const settings = options();
    const commit = which === 'first' ? commits.first : commits.second;
    expect(await resolveGitCommit(url, settings)).toBe(commit);
    {
      await using checkout = await fetchGit(url, settings);
      expect(checkout).toMatchObject({ commit, committed: 1_600_000_000 });
      expect(read(checkout.directory, 'sub/file')).toBe(content);
      expect(readdirSync(checkout.directory).toSorted()).toEqual(['Dockerfile', 'sub']);
    }
    expect(settings.left()).toEqual([]);
  });

  test('may be a commit that no branch names any more', async () => {
    const { repository, first } = sample();
    const url = `${await serveHttp(repository.root)}/repo.git#${first}:sub`;
    await using checkout = await fetchGit(url, options());
    expect(checkout.commit).toBe(first);
    expect(readdirSync(checkout.directory)).toEqual(['file']);
  });

  test('may be a commit of a server that gives none by its hash', async () => {
    const { repository, first } = sample();
    const base = await serveDaemon(repository.root);
    const url = `${base}/repo.git#${first}`;
    await using checkout = await fetchGit(url, { ...options(), env: { PATH: process.env['PATH'] } });
    expect(read(checkout.directory, 'sub/file')).toBe('one');
  });

  test.each([
    ['#missing', 'repository does not contain ref missing, output: ""'],
    [
      '#trunk:nowhere',
      'invalid subdir nowhere: failed to lstat "nowhere": lstatat nowhere: no such file or directory',
    ],
    ['#trunk:sub/file', 'invalid subdir sub/file: git subpath "sub/file" contains non-directory "sub/file"'],
    ['?branch=a&tag=b', 'branch conflicts with tag'],
    ['?ref=a#b', 'ref conflicts: "b" vs "a"'],
    ['?nonsense=1', 'unexpected query "nonsense"'],
    ['?subdir', 'query "subdir" has no value'],
    ['?submodules=perhaps', 'invalid submodules value: "perhaps"'],
    ['#--upload-pack=touch', 'invalid git ref "--upload-pack=touch"'],
    ['?checksum=xyz', 'invalid checksum xyz for Git URL, expected hex commit hash'],
  ])('%j is refused', async (suffix, message) => {
    const { repository } = sample();
    const settings = options();
    const work = fetchGit(`${await serveHttp(repository.root)}/repo.git${suffix}`, settings);
    expect(await refusal(work)).toBe(message);
    expect(settings.left()).toEqual([]);
  });

  test('whose directory is a link is refused', async () => {
    const repository = new Repository();
    symlinkSync('/etc', join(repository.work, 'link'));
    repository.commit({});
    repository.publish();
    const url = `${await serveHttp(repository.root)}/repo.git#trunk:link`;
    expect(await refusal(fetchGit(url, options()))).toBe(
      'invalid subdir link: git subpath "link" contains non-directory "link"',
    );
  });
});

describe('a checksum', () => {
  test('may be the beginning of the hash, of the tag or of its commit', async () => {
    const { repository, first } = sample();
    const url = `${await serveHttp(repository.root)}/repo.git#noted`;
    const tag = repository.git('rev-parse', 'noted');
    expect(tag).not.toBe(first);
    for (const checksum of [first, first.slice(0, 8), tag]) {
      await using checkout = await fetchGit(url, options({ checksum }));
      expect(checkout.commit).toBe(first);
    }
  });

  test('of another commit is refused', async () => {
    const { repository, first, second } = sample();
    const url = `${await serveHttp(repository.root)}/repo.git`;
    expect(await refusal(fetchGit(`${url}#trunk`, options({ checksum: first })))).toBe(
      `expected checksum to match ${first}, got ${second}`,
    );
    expect(await refusal(fetchGit(`${url}?checksum=${first}#${second}`, options()))).toBe(
      `expected checksum to match ${first}, got ${second}`,
    );
    expect(await refusal(fetchGit(`${url}?checksum=aa`, options({ checksum: 'bb' })))).toBe(
      'checksum mismatch "bb" != "aa"',
    );
  });

  test('is enough to fetch by', async () => {
    const { repository, first } = sample();
    repository.git(
      '--git-dir',
      join(repository.root, 'repo.git'),
      'config',
      'uploadpack.allowAnySHA1InWant',
      'true',
    );
    const url = `${await serveHttp(repository.root)}/repo.git?fetch-by-commit=true&checksum=${first}`;
    await using checkout = await fetchGit(url, options());
    expect(read(checkout.directory, 'sub/file')).toBe('one');
  });
});

describe('the checkout', () => {
  test('keeps .git when it is asked to, without the way it came', async () => {
    const { repository, second } = sample();
    const base = (await serveHttp(repository.root)).replace('://', '://user:secret@');
    await using checkout = await fetchGit(`${base}/repo.git`, options({ keepGitDirectory: true }));
    const git = join(checkout.directory, '.git');
    expect(read(git, 'HEAD').trim()).toBe(second);
    expect(read(git, 'config')).toContain('://xxxxx:xxxxx@');
    expect(read(git, 'config')).not.toContain('secret');
    expect(existsSync(join(git, 'FETCH_HEAD'))).toBe(false);
  });

  test('has the same permissions whatever the umask, and the times of the commit when asked', async () => {
    const repository = new Repository();
    mkdirSync(join(repository.work, 'bin'));
    writeFileSync(join(repository.work, 'bin/tool'), '');
    chmodSync(join(repository.work, 'bin/tool'), 0o777);
    repository.commit({ plain: '' });
    repository.publish();
    const url = `${await serveHttp(repository.root)}/repo.git`;
    const umask = process.umask(0o077);
    onTestFinished(() => {
      process.umask(umask);
    });
    await using checkout = await fetchGit(`${url}?mtime=commit`, options());
    const modeOf = (name: string): number => statSync(join(checkout.directory, name)).mode & 0o7777;
    expect([modeOf('bin'), modeOf('bin/tool'), modeOf('plain')]).toEqual([0o755, 0o755, 0o644]);
    for (const name of ['bin', 'bin/tool', 'plain']) {
      expect(statSync(join(checkout.directory, name)).mtimeMs).toBe(1_600_000_000_000);
    }
  });

  test('has the submodules, unless told otherwise', async () => {
    const inner = new Repository();
    inner.commit({ inside: 'inner' });
    inner.publish('inner.git');
    const url = await serveHttp(inner.root);
    const outer = new Repository();
    outer.commit({ top: '' });
    outer.git('-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', inner.work, 'module');
    outer.git('config', '--file=.gitmodules', 'submodule.module.url', `${url}/inner.git`);
    outer.commit({});
    outer.git('push', '--quiet', '--mirror', inner.bare('outer.git'));
    {
      await using checkout = await fetchGit(`${url}/outer.git`, options());
      expect(readdirSync(join(checkout.directory, 'module'))).toEqual(['inside']);
    }
    await using bare = await fetchGit(`${url}/outer.git?submodules=false`, options());
    expect(readdirSync(join(bare.directory, 'module'))).toEqual([]);
  });

  test('gets no submodule from the files of this host', async () => {
    const secret = new Repository();
    secret.commit({ inside: 'private' });
    const outer = new Repository();
    outer.git('-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', secret.work, 'module');
    outer.commit({});
    outer.publish();
    const url = `${await serveHttp(outer.root)}/repo.git`;
    expect(await refusal(fetchGit(url, options()))).toMatch(
      /^failed to update submodules for http[^]*transport 'file' not allowed/,
    );
  });
});

describe('credentials', () => {
  test.each([
    ['http://user:p%40ss@', 'user:p@ss'],
    ['http://token@', 'token:'],
  ])('of %s are sent to the server and shown to nobody', async (start, pair) => {
    const { repository } = sample();
    const password = `Basic ${Buffer.from(pair).toString('base64')}`;
    const asked: Asked[] = [];
    const base = (await serveHttp(repository.root, asked, password)).replace('http://', start);
    const settings = options();
    const log = join(temporaryDirectory(), 'log');
    const bin = join(temporaryDirectory(), 'bin');
    mkdirSync(bin);
    // Tells the command lines of all programs that run meanwhile.
    const real = `PATH='${process.env['PATH'] ?? ''}'; export PATH`;
    writeFileSync(join(bin, 'git'), `#!/bin/sh\n${real}\nps -eo args >> ${log}\nexec git "$@"\n`, {
      mode: 0o755,
    });
    settings.env = { PATH: `${bin}:${process.env['PATH'] ?? ''}` };
    await using checkout = await fetchGit(`${base}/repo.git`, settings);
    expect(read(checkout.directory, 'sub/file')).toBe('two');
    expect(asked.every(({ authorization }) => authorization === password)).toBe(true);
    const secrets = [...pair.split(':').filter((part) => part !== '' && part !== 'user'), password.slice(6)];
    for (const secret of secrets) expect(read(log, '')).not.toContain(secret);
  });

  test('come from secrets, for one host or for all', async () => {
    const { repository } = sample();
    const token = `Basic ${Buffer.from('x-access-token:TOKEN').toString('base64')}`;
    const url = `${await serveHttp(repository.root, [], token)}/repo.git`;
    const { host } = new URL(url);
    const having = (secrets: Record<string, string>): GitOptions =>
      options({
        secret: async (id) => {
          const value = secrets[id];
          return value === undefined ? undefined : Buffer.from(value);
        },
      });
    for (const secrets of [
      { GIT_AUTH_TOKEN: 'TOKEN\n' },
      { GIT_AUTH_HEADER: token },
      { [`GIT_AUTH_TOKEN.${host}`]: 'TOKEN', GIT_AUTH_TOKEN: 'other' },
    ]) {
      await using checkout = await fetchGit(url, having(secrets));
      expect(read(checkout.directory, 'sub/file')).toBe('two');
    }
  });

  test('are not in messages', async () => {
    const { repository } = sample();
    const base = (await serveHttp(repository.root, [], 'none')).replace('://', '://user:secret@');
    const message = await refusal(fetchGit(`${base}/repo.git#trunk`, options()));
    expect(message).toMatch(
      /^failed to fetch remote http:\/\/xxxxx:xxxxx@127\.0\.0\.1:\d+\/repo\.git: git stderr:\n/,
    );
    expect(message).toMatch(/: exit status 128$/);
    expect(message).not.toContain('secret');
  });

  test('of ssh are the agent alone', async () => {
    const { repository } = sample();
    expect(await refusal(fetchGit('git@example.com:x/y.git', options()))).toBe(
      'unset ssh forward key default',
    );
    const bin = join(temporaryDirectory(), 'bin');
    mkdirSync(bin);
    const script = `#!/bin/sh\necho "$SSH_AUTH_SOCK $HOME $*" >> ${bin}/log\nfor last; do :; done\nexec sh -c "$(echo "$last" | sed "s,'/,'${repository.root}/,")"\n`;
    writeFileSync(join(bin, 'ssh'), script, { mode: 0o755 });
    const env = { PATH: `${bin}:${process.env['PATH'] ?? ''}`, HOME: '/root', SSH_AUTH_SOCK: '/users/own' };
    await using checkout = await fetchGit(
      'ssh://git@example.com/repo.git#trunk',
      options({ env, agentSocket: '/sock' }),
    );
    expect(read(checkout.directory, 'sub/file')).toBe('two');
    const [line = ''] = read(bin, 'log').split('\n');
    expect(line).toMatch(
      /^\/sock \/dev\/null .*-o IdentityFile=none .* git@example\.com git-upload-pack '\/repo\.git'$/,
    );
  });
});

test('git that is given up is ended with its helpers', async () => {
  const { repository } = sample();
  const controller = new AbortController();
  const bin = join(temporaryDirectory(), 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'git'), `#!/bin/sh\nsleep 1000 &\necho $! > ${bin}/pid\nwait\n`, { mode: 0o755 });
  const env = { PATH: `${bin}:${process.env['PATH'] ?? ''}` };
  const work = fetchGit(`git://127.0.0.1/${repository.root}`, options({ env, signal: controller.signal }));
  const waiting = refusal(work);
  while (!existsSync(join(bin, 'pid')) || read(bin, 'pid') === '')
    await new Promise((done) => setTimeout(done, 5));
  controller.abort(new Error('given up'));
  expect(await waiting).toBe('given up');
  const pid = read(bin, 'pid').trim();
  // It has been killed: the kernel takes its time.
  await vi.waitFor(() => {
    const state = existsSync(`/proc/${pid}/stat`) ? read('/proc', `${pid}/stat`) : 'gone';
    expect(state).toMatch(/gone|\) Z /);
  }, 10_000);
});

test('a repository is a context, with its Dockerfile in it', async () => {
  const { repository, second } = sample();
  const url = `${await serveDaemon(repository.root)}/repo.git`;
  await using opened = await openBuildContext(request(url), place());
  expect(opened).toMatchObject({
    kind: 'git',
    commit: second,
    modified: 1_600_000_000,
    ignorePatterns: [],
    dockerfile: { name: 'Dockerfile', text: Buffer.from('FROM scratch\n') },
  });
});

test('a host without git is told how to get it', async () => {
  const work = fetchGit('git://127.0.0.1/x.git', options({ env: { PATH: '/nonexistent' } }));
  expect(await refusal(work)).toBe('git is not installed, which repositories are fetched with');
});
