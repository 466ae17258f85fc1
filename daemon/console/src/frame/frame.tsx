import type { ComponentChildren } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';

import type { Session } from '../data/types';
import { Account } from '../pages/account';
import { AgentPage } from '../pages/agent';
import { Agents } from '../pages/agents';
import { ApprovalPage } from '../pages/approval';
import { Approvals } from '../pages/approvals';
import { Audit } from '../pages/audit';
import { AuditEntryPage } from '../pages/audit_entry';
import { Chains } from '../pages/chains';
import { Health } from '../pages/health';
import { Guarded } from './guarded';
import { Empty, ErrorNotice, Title, useAction } from './parts';
import { linkTo, useRoute, type Route } from './router';
import { SignedContext } from './session_context';
import { readTheme, setTheme, type Theme } from './theme';
import { visibleLabel } from '../text/visible_text';

interface Place {
  page: string;
  title: string;
  isOperators: boolean;
}

const kPlaces: readonly Place[] = [
  { page: 'approvals', title: 'Approvals', isOperators: false },
  { page: 'chains', title: 'Chains', isOperators: false },
  { page: 'agents', title: 'Agents', isOperators: true },
  { page: 'audit', title: 'Audit', isOperators: true },
  { page: 'health', title: 'Health', isOperators: true },
];

function pageOf(route: Route): ComponentChildren {
  switch (route.page) {
    case 'approvals':
      return route.id === '' ? <Approvals query={route.query} /> : <ApprovalPage id={route.id} key={route.id} />;
    case 'chains':
      return <Chains token={route.query.get('token') ?? ''} key={route.query.get('token')} />;
    case 'agents':
      return route.id === '' ? <Agents query={route.query} /> : <AgentPage name={route.id} key={route.id} />;
    case 'audit':
      return route.id === '' ? <Audit query={route.query} /> : <AuditEntryPage number={Number(route.id)} key={route.id} />;
    case 'health':
      return <Health />;
    case 'account':
      return <Account />;
    default:
      return (
        <>
          <Title text="Nothing is here" />
          <Empty title="There is no such page">
            <a href={linkTo('approvals')}>Go to the approvals</a>
          </Empty>
        </>
      );
  }
}

function ThemeSwitch() {
  const [theme, choose] = useState<Theme>(readTheme());
  return (
    <label class="theme-switch">
      <span>Theme</span>
      <select
        value={theme}
        onChange={(event) => {
          const chosen = event.currentTarget.value as Theme;
          setTheme(chosen);
          choose(chosen);
        }}
      >
        <option value="system">As the system</option>
        <option value="light">Light</option>
        <option value="dark">Dark</option>
      </select>
    </label>
  );
}

function Seal() {
  return (
    <svg class="seal" viewBox="0 0 32 32" width="26" height="26" aria-hidden="true">
      <circle cx="16" cy="16" r="14" class="seal-ground" />
      <path d="M21.6 11.6a7 7 0 1 0 0 8.8" class="seal-letter" />
      <circle cx="16" cy="16" r="2.2" class="seal-dot" />
    </svg>
  );
}

function Navigation({ route, session }: { route: Route; session: Session }) {
  return (
    <nav class="places" aria-label="Pages">
      <ul>
        {kPlaces
          .filter((place) => !place.isOperators || session.role === 'operator')
          .map(({ page, title }) => (
            <li key={page}>
              <a href={linkTo(page)} aria-current={route.page === page ? 'page' : undefined}>
                {title}
              </a>
            </li>
          ))}
      </ul>
    </nav>
  );
}

/** Moves the focus to what a followed link led to; not at the start, where nobody followed one. */
function useArrival(route: Route) {
  const main = useRef<HTMLElement>(null);
  const isFirst = useRef(true);
  useEffect(() => {
    if (isFirst.current) isFirst.current = false;
    else main.current?.focus();
  }, [route.page, route.id]);
  return main;
}

interface Props {
  session: Session;
  onSession: (session: Session) => void;
  onSignOut: () => Promise<void>;
}

/** Everything around a page: who is signed in, where one can go, how it looks. */
export function Frame({ session, onSession, onSignOut }: Props) {
  const route = useRoute();
  const main = useArrival(route);
  const skew = useMemo(() => session.now - Math.floor(Date.now() / 1000), [session.now]);
  const signed = useMemo(() => ({ session, skew, setSession: onSession }), [session, skew, onSession]);
  const signOut = useAction(onSignOut);
  const who = session.principal ?? (session.role === 'operator' ? `operator (uid ${session.uid})` : 'approver');
  return (
    <SignedContext.Provider value={signed}>
      {/* A link to a fragment would be a page of its own here. */}
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        Skip to the page
      </button>
      <div class="frame">
        <header class="top">
          <a class="brand" href={linkTo('approvals')}>
            <Seal />
            <span>Chancery</span>
          </a>
          <Navigation route={route} session={session} />
          <div class="who">
            <a href={linkTo('account')} aria-current={route.page === 'account' ? 'page' : undefined} class="who-name">
              {visibleLabel(who)}
            </a>
            <ThemeSwitch />
            <button type="button" class="button-bare" onClick={signOut.run} disabled={signOut.isBusy}>
              Sign out
            </button>
          </div>
        </header>
        <main class="page" id="page" ref={main} tabIndex={-1}>
          {signOut.error && !signOut.isBusy && <ErrorNotice title="You are still signed in" error={signOut.error} />}
          <Guarded key={`${route.page}/${route.id}`}>{pageOf(route)}</Guarded>
        </main>
      </div>
    </SignedContext.Provider>
  );
}
