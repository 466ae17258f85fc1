import { chains } from '../data/api';
import { useLoad } from '../frame/load';
import { Section, Shown, StateBadge } from '../frame/parts';
import { linkTo } from '../frame/router';
import { ChainPicture } from '../pictures/chain_picture';
import { HopList } from '../pictures/hop_list';
import { VisibleText } from '../text/visible_text';

function Explained({ chain, now }: { chain: string[]; now: number }) {
  const loaded = useLoad(() => chains.explain({ chain: chain.join('~') }), [chain.join('~')]);
  return (
    <Shown loaded={loaded} what="the chain">
      {(explanation) => (
        <>
          <p>
            <StateBadge state={explanation.outcome} /> {explanation.reason === undefined ? 'as the chain is now' : <VisibleText text={explanation.reason} />}
          </p>
          <ChainPicture hops={explanation.hops} />
          <details>
            <summary>The same in words</summary>
            <HopList hops={explanation.hops} now={now} />
          </details>
        </>
      )}
    </Shown>
  );
}

/** Where the authority came from that the request would use. */
export function ChainBehind({ chain, now }: { chain: string[] | undefined; now: number }) {
  return (
    <Section title="The chain behind it" id="chain">
      {chain === undefined || chain.length === 0 ? (
        <p class="quiet">
          The daemon does not know all of its tokens: some were delegated elsewhere. <a href={linkTo('chains')}>Paste the chain</a> to see it.
        </p>
      ) : (
        <Explained chain={chain} now={now} />
      )}
    </Section>
  );
}
