import { useEffect, useState } from 'preact/hooks';

const kQuery = '(max-width: 40rem)';

/** Whether the window is narrow, for pictures, whose letters would shrink with them. */
export function useIsNarrow(): boolean {
  const [isNarrow, setNarrow] = useState(() => matchMedia(kQuery).matches);
  useEffect(() => {
    const query = matchMedia(kQuery);
    const follow = () => setNarrow(query.matches);
    query.addEventListener('change', follow);
    return () => query.removeEventListener('change', follow);
  }, []);
  return isNarrow;
}
