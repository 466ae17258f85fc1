import { useEffect, useState } from 'preact/hooks';

import { chains } from '../data/api';
import type { Explanation } from '../data/types';
import { announce } from '../frame/announce';
import { useNow } from '../frame/load';
import { Empty, ErrorNotice, Facts, Notice, Section, Title, useAction } from '../frame/parts';
import { useSigned } from '../frame/session_context';
import { ChainPicture } from '../pictures/chain_picture';
import { HopList } from '../pictures/hop_list';
import { TimeLine } from '../pictures/time_line';
import { plural } from '../text/times';
import { VisibleText } from '../text/visible_text';
import { isTokenId, readChainInput, readParameters } from './chain_input';

const kLevels = ['', 'hardware', 'pkcs11-claimed', 'pkcs11-attested', 'tpm-certified-emulated', 'tpm-certified', 'tpm-quoted'];
const kNotPerformed: Record<string, string> = {
  holder_binding: 'that whoever shows it holds its key',
  replay: 'that a proof is used once',
  action: 'that it covers a certain action',
  custody: 'where its keys live',
  ancestor_totals: 'what is left of its budgets',
};

interface Asked {
  text: string;
  custody: string;
  audience: string;
  scope: string;
  params: string;
}

async function explain(asked: Asked): Promise<Explanation> {
  const text = asked.text.trim();
  const body: Record<string, unknown> = isTokenId(text) ? { chain: (await chains.lookUp(text)).chain.join('~') } : readChainInput(text);
  if (asked.custody !== '') body.require_custody = asked.custody;
  if (asked.scope.trim() !== '') {
    body.request = { audience: asked.audience.trim(), action: { scope: asked.scope.trim(), params: readParameters(asked.params) } };
  }
  return chains.explain(body);
}

function VerdictView({ explanation }: { explanation: Explanation }) {
  const isValid = explanation.outcome === 'valid';
  const where = [
    explanation.step === null ? '' : explanation.step === 'parse' || explanation.step === 'custody' ? explanation.step : `step ${explanation.step}`,
    explanation.hop === null ? '' : `token ${explanation.hop}`,
  ].filter((text) => text !== '');
  return (
    <Section title="Verdict" id="verdict">
      <Notice
        tone={isValid ? 'good' : 'bad'}
        title={isValid ? `Valid: a chain of ${plural(explanation.tokens, 'token')}` : `Denied: ${explanation.outcome.replaceAll('_', ' ')}`}
      >
        {!isValid && (
          <>
            <VisibleText text={explanation.reason ?? ''} /> <span class="quiet">{where.join(', ')}</span>
          </>
        )}
      </Notice>
      <Facts
        facts={[
          ['Expected', explanation.expected ? <VisibleText text={explanation.expected} /> : undefined],
          ['Found', explanation.found ? <VisibleText text={explanation.found} /> : undefined],
          ['Smallest fix', explanation.remedy ? <strong><VisibleText text={explanation.remedy} /></strong> : undefined],
          [
            'Not checked',
            explanation.not_performed.length > 0
              ? explanation.not_performed.map((name) => kNotPerformed[name] ?? name).join('; ')
              : undefined,
          ],
          [
            'Ignored results',
            explanation.ignored_results && explanation.ignored_results.length > 0
              ? <VisibleText text={explanation.ignored_results.map(({ index, reason }) => `${index}: ${reason}`).join('; ')} />
              : undefined,
          ],
        ]}
      />
    </Section>
  );
}

function Answer({ explanation }: { explanation: Explanation }) {
  const { skew } = useSigned();
  const now = useNow(skew);
  return (
    <>
      <VerdictView explanation={explanation} />
      <Section title="Who gave what to whom" id="picture">
        <ChainPicture hops={explanation.hops} />
      </Section>
      <Section title="When it is valid" id="validity">
        <TimeLine hops={explanation.hops} now={now} />
      </Section>
      <Section title="Token by token" id="hops">
        <HopList hops={explanation.hops} custody={explanation.custody} now={now} />
      </Section>
    </>
  );
}

function RequestFields({ asked, change }: { asked: Asked; change: (part: Partial<Asked>) => void }) {
  return (
    <details>
      <summary>Hold it against an action, or demand hardware</summary>
      <div class="grid-fields">
        <div class="field">
          <label htmlFor="audience">Audience</label>
          <input id="audience" value={asked.audience} onInput={(event) => change({ audience: event.currentTarget.value })} />
        </div>
        <div class="field">
          <label htmlFor="scope">Scope</label>
          <input id="scope" value={asked.scope} onInput={(event) => change({ scope: event.currentTarget.value })} />
        </div>
        <div class="field">
          <label htmlFor="params">Parameters, as JSON</label>
          <input id="params" value={asked.params} onInput={(event) => change({ params: event.currentTarget.value })} />
        </div>
        <div class="field">
          <label htmlFor="custody">Custody of every key</label>
          <select id="custody" value={asked.custody} onChange={(event) => change({ custody: event.currentTarget.value })}>
            {kLevels.map((level) => (
              <option value={level} key={level}>
                {level === '' ? 'whatever it is' : level}
              </option>
            ))}
          </select>
        </div>
      </div>
    </details>
  );
}

/** Paste a chain, or look one up by the id of its last token. */
export function Chains({ token }: { token: string }) {
  const [asked, setAsked] = useState<Asked>({ text: token, custody: '', audience: '', scope: '', params: '{}' });
  const [explanation, setExplanation] = useState<Explanation>();
  const ask = useAction(async () => {
    setExplanation(undefined);
    const found = await explain(asked);
    setExplanation(found);
    announce(found.outcome === 'valid' ? 'The chain is valid' : `The chain is denied: ${found.outcome.replaceAll('_', ' ')}`);
  });
  useEffect(() => {
    if (token !== '') ask.run();
  }, []);
  return (
    <>
      <div class="page-head">
        <Title text="Chains" />
      </div>
      <form
        class="card"
        onSubmit={(event) => {
          event.preventDefault();
          ask.run();
        }}
      >
        <div class="field">
          <label htmlFor="chain">A chain, or the id of a token</label>
          <textarea
            id="chain"
            rows={4}
            spellcheck={false}
            aria-describedby="chain-hint"
            value={asked.text}
            onInput={(event) => setAsked({ ...asked, text: event.currentTarget.value })}
          />
          <p id="chain-hint" class="quiet">
            Tokens joined by ~, one a line, or a bundle as JSON; or 64 hexadecimal digits. Nothing is recorded.
          </p>
        </div>
        <RequestFields asked={asked} change={(part) => setAsked({ ...asked, ...part })} />
        <p class="buttons">
          <button type="submit" class="button button-main" disabled={ask.isBusy || asked.text.trim() === ''}>
            {ask.isBusy ? 'Judging…' : 'Explain'}
          </button>
        </p>
      </form>
      {ask.error && !ask.isBusy && <ErrorNotice error={ask.error} />}
      {explanation ? <Answer explanation={explanation} /> : !ask.error && !ask.isBusy && <Empty title="No chain yet"><p>Paste one to see who gave what to whom, and whether it holds.</p></Empty>}
    </>
  );
}
