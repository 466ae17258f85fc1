import type { Approval } from '../data/types';
import { Section, StateBadge, When } from '../frame/parts';
import { linkTo } from '../frame/router';
import { differences, type Difference } from '../text/differences';
import { JsonText } from '../text/json_text';
import { plural } from '../text/times';
import { VisibleText } from '../text/visible_text';
import { subjectArguments, type Document } from './request_document';

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
        <VisibleText text={path.join(' › ') || 'all of it'} />
      </th>
      <td>{kind === 'added' ? <span class="quiet">–</span> : <JsonText value={before} />}</td>
      <td>{kind === 'removed' ? <span class="quiet">–</span> : <JsonText value={after} />}</td>
    </tr>
  );
}

/** What is another in this request than in the last one of its kind that is still known. */
export function Changes({ document, similar, now }: { document: Document; similar: Approval | undefined; now: number }) {
  if (similar?.document === undefined) {
    return (
      <Section title="What changed" id="changes">
        <p class="quiet">No similar request is known: documents are forgotten when a request ends.</p>
      </Section>
    );
  }
  const found = differences(subjectArguments(similar.document) ?? {}, subjectArguments(document) ?? {});
  const changed = found.filter(({ kind }) => kind !== 'same');
  return (
    <Section title="What changed" id="changes" aside={<span class="quiet">{plural(changed.length, 'difference')}</span>}>
      <p>
        Since <a href={linkTo('approvals', similar.id)}>the last similar request</a>, asked <When at={similar.asked_at} now={now} />{' '}
        <StateBadge state={similar.state} />
      </p>
      <div class="table-frame" tabIndex={0} role="region" aria-label="Differences of the arguments">
        <table class="diff">
          <thead>
            <tr>
              <th scope="col">Change</th>
              <th scope="col">Argument</th>
              <th scope="col">Then</th>
              <th scope="col">Now</th>
            </tr>
          </thead>
          <tbody>
            {[...changed, ...found.filter(({ kind }) => kind === 'same')].map((difference) => (
              <Row difference={difference} key={JSON.stringify(difference.path)} />
            ))}
          </tbody>
        </table>
      </div>
    </Section>
  );
}
