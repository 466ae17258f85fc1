import { useEffect, useMemo, useRef, useState } from 'preact/hooks';

import { approvals } from '../data/api';
import type { Approval, ApprovalView } from '../data/types';
import { ActionDialog } from '../decide/action_dialog';
import { announce } from '../frame/announce';
import { useLoad, useNow } from '../frame/load';
import { Badge, EnforcementBadge, Facts, Identifier, Notice, RiskBadge, Section, Shown, StateBadge, Title, When } from '../frame/parts';
import { linkTo } from '../frame/router';
import { useSigned } from '../frame/session_context';
import { countSuspiciousIn } from '../text/glyphs';
import { HexDump } from '../text/hex_dump';
import { JsonText } from '../text/json_text';
import { countdown, moment, plural } from '../text/times';
import { VisibleText } from '../text/visible_text';
import { Changes } from './approval_changes';
import { ChainBehind } from './approval_chain';
import { gatesOf, progressOf, subjectOf, votesOf } from './approval_words';
import { DecisionPanel } from './decision_panel';
import { judge, subjectArguments, type Document, type Judged } from './request_document';

const kPollMs = 3000;

const text = (value: unknown) => (typeof value === 'string' && value !== '' ? <VisibleText text={value} /> : undefined);
const id = (value: unknown, follow = true) =>
  typeof value === 'string' && value !== '' ? <Identifier text={value} follow={follow} /> : undefined;

/** The document's octets are judged once they are there; what is shown below is judged, or says that it is not. */
function useJudged(approval: Approval | undefined): Judged | undefined {
  const [judged, setJudged] = useState<Judged>();
  const octets = approval?.document === undefined ? undefined : JSON.stringify(approval.document);
  useEffect(() => {
    let isCurrent = true;
    setJudged(undefined);
    if (approval?.document !== undefined) {
      judge(approval.document, approval.id, approval.sha256).then(
        (found) => isCurrent && setJudged(found),
        () => isCurrent && setJudged({ octets: '', sha256: '', problem: 'It cannot be put into its canonical form.' }),
      );
    }
    return () => {
      isCurrent = false;
    };
  }, [octets, approval?.sha256]);
  return judged;
}

function Suspicion({ document }: { document: Document }) {
  const found = useMemo(() => countSuspiciousIn(document), [document]);
  if (found === 0) return null;
  return (
    <Notice tone="warn" title={`${plural(found, 'character')} in this request may deceive the eye`}>
      Each is named where it stands: it is not drawn, turns the direction of text, or looks like another one.
    </Notice>
  );
}

/** Which gates are closed, and why; in whatever form they come, nothing of them is left out. */
function Reasons({ gates }: { gates: unknown }) {
  const isPlain = (gate: unknown): gate is { gate: string; why: string } =>
    typeof gate === 'object' && gate !== null && Object.keys(gate).sort().join() === 'gate,why';
  if (!Array.isArray(gates) || !gates.every(isPlain)) return <JsonText value={gates} />;
  return (
    <ul class="plain">
      {gates.map(({ gate, why }) => (
        <li key={gate}>
          <span class="tag">
            <VisibleText text={gate} />
          </span>{' '}
          <VisibleText text={why} />
        </li>
      ))}
    </ul>
  );
}

function What({ document }: { document: Document }) {
  const risk = typeof document.risk === 'string' ? document.risk : undefined;
  const debits = document.debits as Record<string, string> | undefined;
  return (
    <Section title="What will happen" id="what" aside={risk && <RiskBadge risk={risk} />}>
      {typeof document.description === 'string' && (
        <p class="lead">
          <VisibleText text={document.description} /> <span class="fact-word">the tool’s own description</span>
        </p>
      )}
      <h3>{document.kind === 'grant' ? 'A token with exactly these claims' : 'With exactly these arguments'}</h3>
      <JsonText value={subjectArguments(document) ?? {}} />
      {debits && Object.keys(debits).length > 0 && (
        <>
          <h3>It would spend</h3>
          <ul class="plain">
            {Object.entries(debits).map(([key, value]) => (
              <li key={key}>
                <strong>{text(value)}</strong> of <code>{text(key)}</code>
              </li>
            ))}
          </ul>
        </>
      )}
      <Facts
        facts={[
          ['Tool', text(document.tool)],
          ['Scope', text(document.scope)],
          ['Method', text(document.method)],
          ['Address', text(document.uri)],
          ['Audience', text(document.audience)],
          ['Credential', text(document.credential), 'the runtime’s word'],
          ['Why it waits', document.gates === undefined ? undefined : <Reasons gates={document.gates} />],
        ]}
      />
    </Section>
  );
}

function Who({ document, now }: { document: Document; now: number }) {
  const at = (value: unknown) => (typeof value === 'number' ? <When at={value} now={now} full /> : undefined);
  return (
    <Section title="Who asks" id="who">
      <Facts
        facts={[
          ['For', text(document.principal), 'the chain says so'],
          ['Agent', text(document.agent), 'known here'],
          ['Called', text(document.client_id), 'by its delegator'],
          ['Asked', at(document.asked_at)],
          ['Waits until', at(document.expires_at)],
          ['Key', id(document.key)],
          ['Session key', id(document.session_key)],
          ['Token', id(document.token)],
          ['Runtime', text(document.runtime)],
          ['Asked by', text(document.asked_by)],
        ]}
      />
    </Section>
  );
}

function Octets({ judged }: { judged: Judged }) {
  return (
    <Section title="The document, octet by octet" id="document">
      <p>
        Its SHA-256 is what you approve. This page computed it from what it shows: <Identifier text={judged.sha256} />
      </p>
      <details>
        <summary>Canonical text</summary>
        <div class="canonical" tabIndex={0} role="region" aria-label="Canonical text">
          <VisibleText text={judged.octets} />
        </div>
      </details>
      <details>
        <summary>Octets in hexadecimal</summary>
        <HexDump text={judged.octets} label="Octets in hexadecimal" />
      </details>
    </Section>
  );
}

function Votes({ approval, now }: { approval: Approval; now: number }) {
  const votes = votesOf(approval);
  const gates = gatesOf(approval);
  if (votes.length === 0 && gates.length === 0) return null;
  return (
    <Section title="Decisions" id="decisions" aside={<span class="quiet">{progressOf(approval)}</span>}>
      {gates.length > 0 && (
        <ul class="plain">
          {gates.map((gate) => (
            <li key={gate.name}>
              <span class="tag">{gate.name}</span> {gate.approvals} of {plural(gate.quorum, 'approval')}{' '}
              <EnforcementBadge enforcement={gate.enforcement} />{' '}
              {gate.separation === 'requester' && <span class="quiet">who asked may not decide</span>}
              {gate.separation === 'principal' && <span class="quiet">whom it is for may not decide</span>}
            </li>
          ))}
        </ul>
      )}
      <ul class="plain votes">
        {votes.map((vote) => (
          <li key={`${vote.approver} ${vote.key}`}>
            <Badge tone={vote.verdict === 'approve' ? 'good' : 'bad'}>{vote.verdict === 'approve' ? 'approved' : 'denied'}</Badge>{' '}
            <VisibleText text={vote.approver} /> <When at={vote.at} now={now} /> <EnforcementBadge enforcement={vote.enforcement} />
            {vote.voided_at !== undefined && <Badge tone="warn">key revoked: counts no more</Badge>}
            {vote.reason !== undefined && vote.reason !== '' && (
              <p class="vote-reason">
                <VisibleText text={vote.reason} />
              </p>
            )}
          </li>
        ))}
      </ul>
    </Section>
  );
}

function Ended({ approval }: { approval: Approval }) {
  const { session } = useSigned();
  return (
    <Notice tone="info" title={`This request is ${approval.state}`}>
      Its document was forgotten when it ended.{' '}
      {session.role === 'operator' && <a href={linkTo('audit', '', { ref: approval.id })}>The audit log says what became of it.</a>}
    </Notice>
  );
}

/** The operator takes a request back from everybody, whoever asked. */
function CancelRequest({ approval, onDone }: { approval: Approval; onDone: () => void }) {
  const { session } = useSigned();
  const [isOpen, setOpen] = useState(false);
  if (session.role !== 'operator' || session.passkey === undefined) return null;
  return (
    <Section title="Cancel the request" id="cancel">
      <p class="quiet">It ends without a decision. Whoever asked may ask again.</p>
      <p class="buttons">
        <button type="button" class="button" onClick={() => setOpen(true)}>
          Cancel the request
        </button>
      </p>
      {isOpen && (
        <ActionDialog
          title="Cancel this request"
          button="Cancel it"
          isDangerous
          said="The request is cancelled"
          request={() => ({ method: 'DELETE', path: `/ui/api/approvals/${encodeURIComponent(approval.id)}`, body: '' })}
          onClose={() => setOpen(false)}
          onDone={onDone}
        >
          <p>Nobody can decide it any more. Whoever waits for it is told that it was cancelled.</p>
        </ActionDialog>
      )}
    </Section>
  );
}

function Header({ approval, now }: { approval: Approval; now: number }) {
  return (
    <div class="page-head">
      <div>
        <p class="crumb">
          <a href={linkTo('approvals')}>Approvals</a>
        </p>
        <Title text={subjectOf(approval)}>
          <VisibleText text={subjectOf(approval)} />
        </Title>
        <p class="page-sub">
          for <VisibleText text={approval.principal} />
        </p>
      </div>
      <div class="page-state">
        <StateBadge state={approval.state} />
        <EnforcementBadge enforcement={approval.enforcement} />
        {approval.state === 'pending' && <span class="quiet">{countdown(approval.expires_at, now)} left</span>}
        {approval.state === 'approved' && approval.approved_until !== undefined && (
          <span class="quiet">to be used before {moment(approval.approved_until)}</span>
        )}
      </div>
    </div>
  );
}

function Request({ view, reload }: { view: ApprovalView; reload: () => void }) {
  const { skew } = useSigned();
  const now = useNow(skew);
  const { approval } = view;
  const judged = useJudged(approval);
  const document = approval.document;
  return (
    <>
      <Header approval={approval} now={now} />
      <div class="columns">
        <div class="column-main">
          {document === undefined && <Ended approval={approval} />}
          {judged?.problem !== undefined && (
            <Notice tone="bad" title="Approve nothing of this">
              <VisibleText text={judged.problem} /> The command line shows what it is: <code>chancery approval show {approval.id}</code>
            </Notice>
          )}
          {document !== undefined && (
            <>
              <Suspicion document={document} />
              <What document={document} />
              <Changes document={document} previous={approval.previous} now={now} />
              <ChainBehind chain={view.chain} now={now} />
              <Who document={document} now={now} />
            </>
          )}
          {judged !== undefined && <Octets judged={judged} />}
        </div>
        <div class="column-side">
          {approval.state === 'pending' && judged !== undefined && (
            <DecisionPanel approval={approval} judged={judged} isOver={approval.expires_at <= now} onDecided={reload} />
          )}
          <Votes approval={approval} now={now} />
          {approval.state === 'pending' && <CancelRequest approval={approval} onDone={reload} />}
          <Section title="Identifiers" id="identifiers">
            <Facts
              facts={[
                ['Request', id(approval.id)],
                ['SHA-256', id(approval.sha256)],
              ]}
            />
          </Section>
        </div>
      </div>
    </>
  );
}

/** One request: all that there is to decide about, and where it is decided. */
export function ApprovalPage({ id: request }: { id: string }) {
  const loaded = useLoad((isBackground) => approvals.view(request, isBackground), [request], { every: kPollMs });
  const before = useRef<string | undefined>(undefined);
  const state = loaded.data?.approval.state;
  useEffect(() => {
    if (before.current !== undefined && state !== undefined && state !== before.current) announce(`This request is ${state} now`);
    before.current = state;
  }, [state]);
  return (
    <Shown loaded={loaded} what="the request">
      {(view) => <Request view={view} reload={loaded.reload} />}
    </Shown>
  );
}
