// The mark of this page's session: a secret beside the cookie. Browsers send a cookie to every port of a host, so a server of somebody
// else's on localhost knows it. What is kept for an origin, and what the tabs of an origin tell each other, stays with that origin.

const kName = 'chancery-console';
const kPatienceMs = 1_000; // for the other tabs, which answer at once unless they are busy

let tabs: BroadcastChannel | undefined;

/** Empty before there is one. */
export const readMark = (): string => sessionStorage.getItem(kName) ?? '';

/** Keeps the mark of a new session, for all tabs: they have its cookie too. */
export function keepMark(mark: string): void {
  sessionStorage.setItem(kName, mark);
  tabs?.postMessage({ mark, isNew: true });
}

/** Forgets a mark that opens nothing any more; one that came meanwhile stays. */
export function forgetMark(mark: string): void {
  if (readMark() === mark) sessionStorage.removeItem(kName);
}

/** Told when another tab has given this one a mark. */
let whenGiven: () => void = () => undefined;

export function onMarkGiven(listener: () => void): void {
  whenGiven = listener;
}

/** Listens to the other tabs of this origin from now on. */
export function shareMark(): void {
  tabs = new BroadcastChannel(kName);
  tabs.addEventListener('message', ({ data }: MessageEvent<{ mark?: string; isNew?: boolean; isAsked?: boolean }>) => {
    if (data.mark !== undefined) {
      if (!data.isNew && readMark() !== '') return; // an answer to another tab, perhaps of a session that is over
      sessionStorage.setItem(kName, data.mark);
      whenGiven();
    } else if (data.isAsked && readMark() !== '') tabs?.postMessage({ mark: readMark() });
  });
}

/** Whether there is a mark, here or in another tab, which is asked then. */
export async function findMark(): Promise<boolean> {
  if (readMark() === '' && tabs !== undefined) {
    const answered = new Promise<void>((resolve) => {
      tabs?.addEventListener('message', () => readMark() !== '' && resolve());
    });
    tabs.postMessage({ isAsked: true });
    await Promise.race([answered, new Promise((resolve) => setTimeout(resolve, kPatienceMs))]);
  }
  return readMark() !== '';
}
