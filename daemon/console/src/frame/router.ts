// Pages are told apart by the fragment, which never reaches the server: `/ui#/agents/support-agent?tab=keys`.

import { useEffect, useState } from 'preact/hooks';

export interface Route {
  page: string;
  /** What stands behind the page's name, decoded; empty without. */
  id: string;
  query: URLSearchParams;
}

export function readRoute(fragment: string): Route {
  const [path = '', search = ''] = fragment.replace(/^#\/?/, '').split('?', 2);
  const [page = '', ...rest] = path.split('/');
  let id = '';
  try {
    id = decodeURIComponent(rest.join('/'));
  } catch {
    // A broken escape names nothing that there is.
  }
  return { page: page === '' ? 'approvals' : page, id, query: new URLSearchParams(search) };
}

export function linkTo(page: string, id = '', query: Record<string, string> = {}): string {
  const search = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== '')).toString();
  return `#/${page}${id === '' ? '' : `/${encodeURIComponent(id)}`}${search === '' ? '' : `?${search}`}`;
}

export function go(page: string, id = '', query: Record<string, string> = {}): void {
  location.hash = linkTo(page, id, query);
}

export function useRoute(): Route {
  const [fragment, setFragment] = useState(location.hash);
  useEffect(() => {
    // A sign-in link is none of the pages: whoever is signed in by it takes it away at once.
    const follow = () => {
      if (!location.hash.startsWith('#link=')) setFragment(location.hash);
    };
    addEventListener('hashchange', follow);
    follow(); // it may have changed since this was drawn
    return () => removeEventListener('hashchange', follow);
  }, []);
  return readRoute(fragment);
}

/** The sign-in link of this address, taken out of it and of the history at once; absent without one, and for one that is none. */
export function takeLink(): string | undefined {
  const found = /^#link=([A-Za-z0-9_-]+)$/.exec(location.hash);
  if (location.hash.startsWith('#link=')) history.replaceState(null, '', `${location.pathname}#/approvals`);
  return found?.[1];
}
