import { VisibleText } from './visible_text';

// As in JSON: a quotation mark inside of a text is told from the one that ends it.
const escaped = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('"', '\\"');

function Quoted({ text, part }: { text: string; part: 'key' | 'text' }) {
  return (
    <span class={`json-${part}`}>
      <span class="json-mark">"</span>
      <VisibleText text={escaped(text)} />
      <span class="json-mark">"</span>
    </span>
  );
}

function Members({ entries, marks }: { entries: readonly (readonly [string | undefined, unknown])[]; marks: string }) {
  if (entries.length === 0) return <span class="json-mark">{marks}</span>;
  return (
    <>
      <span class="json-mark">{marks[0]}</span>
      <ul class="json-members">
        {entries.map(([key, value], at) => (
          <li key={at}>
            {key !== undefined && (
              <>
                <Quoted text={key} part="key" />
                <span class="json-mark">: </span>
              </>
            )}
            <JsonValue value={value} />
            {at + 1 < entries.length && <span class="json-mark">,</span>}
          </li>
        ))}
      </ul>
      <span class="json-mark">{marks[1]}</span>
    </>
  );
}

function JsonValue({ value }: { value: unknown }) {
  if (typeof value === 'string') return <Quoted text={value} part="text" />;
  if (Array.isArray(value)) return <Members marks="[]" entries={value.map((item) => [undefined, item])} />;
  if (typeof value === 'object' && value !== null) return <Members marks="{}" entries={Object.entries(value)} />;
  return <span class="json-number">{JSON.stringify(value)}</span>;
}

/** A JSON value in full, one member a line, with a text told from a number and every character of it visible. */
export function JsonText({ value }: { value: unknown }) {
  return (
    <div class="json" dir="ltr" translate={false}>
      <JsonValue value={value} />
    </div>
  );
}
