/** The tags of a repository, page by page (OCI distribution specification 1.1, Listing Tags). */
import { A3sError } from '../../errors.ts';
import { parseObject, readBody } from './body.ts';
import { nameOf, type Subject } from './refusal.ts';
import { named, type Session } from './session.ts';
import { header, type HttpAnswer } from './transport.ts';

const PAGE = 1000;
const MAX_PAGES = 1000;
const MAX_TAGS = 100_000;
const TAG = /^\w[\w.-]{0,127}$/;

export interface TagPage {
  tags: string[];
  next: URL | undefined;
}

/** Where the list begins. */
export function firstTags(session: Session, repository: string): URL {
  return session.url(`${repository}/tags/list?n=${PAGE}`);
}

/**
 * All pages in order.
 * @param page fetches one page
 * @throws A3sError `registry_protocol` for a list without an end
 */
export async function allTags(
  subject: Subject,
  first: URL,
  page: (url: URL) => Promise<TagPage>,
): Promise<string[]> {
  const tags: string[] = [];
  const seen = new Set<string>();
  for (let url: URL | undefined = first; url !== undefined;) {
    seen.add(url.href);
    const found: TagPage = await page(url);
    for (const tag of found.tags) tags.push(tag);
    url = found.next;
    if (url !== undefined && (seen.has(url.href) || seen.size >= MAX_PAGES || tags.length > MAX_TAGS)) {
      throw new A3sError('registry_protocol', `${nameOf(subject)}: the list has no end`);
    }
  }
  return tags;
}

/** @throws A3sError, Transient */
export async function fetchTags(session: Session, subject: Subject, url: URL): Promise<TagPage> {
  const answer = await session.send({ method: 'GET', url, subject, expect: [200] });
  const text = await readBody(answer).catch((error: unknown) => {
    throw named(error, subject);
  });
  const { tags } = parseObject(text.toString());
  // A repository without tags has null.
  const list: unknown[] = Array.isArray(tags) ? tags : [];
  if (!(tags === null || Array.isArray(tags))) {
    throw new A3sError('registry_protocol', `${nameOf(subject)}: the registry answered with no list`);
  }
  return {
    tags: list.filter((tag): tag is string => typeof tag === 'string' && TAG.test(tag)),
    next: nextOf(session, answer),
  };
}

/** The address in `Link: <…>; rel="next"` (RFC 8288). */
function nextOf(session: Session, answer: HttpAnswer): URL | undefined {
  const target = /<([^>]*)>\s*;\s*rel="?next"?/i.exec(header(answer, 'link') ?? '')?.[1];
  if (target === undefined) return undefined;
  const url = session.policy.resolve(target, answer.url, 'the next page');
  if (url.origin === session.base.origin) return url;
  throw new A3sError('registry_protocol', `the next page is on another host, ${url.host}`);
}
