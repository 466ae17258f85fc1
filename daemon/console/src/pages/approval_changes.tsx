import { Fragment } from 'preact';

import type { PreviousRequest } from '../data/types';
import { Section, StateBadge, Table, When } from '../frame/parts';
import { linkTo } from '../frame/router';
import { differences, type Difference } from '../text/differences';
import { JsonText } from '../text/json_text';
import { plural } from '../text/times';
import { VisibleText } from '../text/visible_text';
import { comparable, type Document } from './request_document';

const kWords: Record<Difference['kind'], string> = { same: 'the same', added: 'new', removed: 'gone', changed: 'changed' };
const kMarks: Record<Difference['kind'], string> = { same: '=', added: '+', removed: '−', changed: '≠' };

function Row({ difference }: { difference: Difference }) {
  const { kind, path, before, after } = difference;
  return (
    <tr class={`diff-${kind}`}>
      <td class="diff-kind">
        <span aria-hidden="true">{kMarks[kind]}</span> {kWords[kind]}
      </td>
      <th scope="row">
        {path.map((name, at) => (
          <Fragment key={at}>
            {at > 0 && ' › '}
            <VisibleText text={name} />
          </Fragment>
        ))}
      </th>
      <td>{kind === 'added' ? <span class="quiet">–</span> : <JsonText value={before} />}</td>
      <td>{kind === 'removed' ? <span class="quiet">–</span> : <JsonText value={after} />}</td>
    </tr>
  );
}

/** What is another, first; of what is the same only what the request is made with. */
export function changesSince(previous: Document, document: Document): { changed: Difference[]; same: Difference[] } {
  const found = differences(comparable(previous), comparable(document));
  const isOfSubject = ({ path: [top] }: Difference) => top === 'arguments' || top === 'granted';
  return {
    changed: found.filter(({ kind }) => kind !== 'same'),
    same: found.filter((difference) => difference.kind === 'same' && isOfSubject(difference)),
  };
}

/** What is another in this request than in the last one like it that was decided. */
export function Changes({ document, previous, now }: { document: Document; previous: PreviousRequest | undefined; now: number }) {
  if (previous === undefined) {
    return (
      <Section title="What changed" id="changes">
        <p class="quiet">No request like this one was decided before, or its document is not kept any more.</p>
      </Section>
    );
  }
  const { changed, same } = changesSince(previous.document, document);
  return (
    <Section title="What changed" id="changes" aside={<span class="quiet">{plural(changed.length, 'difference')}</span>}>
      <p>
        Since <a href={linkTo('approvals', previous.id)}>the last one like it</a>, decided <When at={previous.decided_at} now={now} />{' '}
        <StateBadge state={previous.state} />
      </p>
      <Table label="Differences of the requests" look="diff" columns={['Change', 'Where', 'Then', 'Now']}>
        {[...changed, ...same].map((difference) => (
          <Row difference={difference} key={JSON.stringify(difference.path)} />
        ))}
      </Table>
    </Section>
  );
}
