const kWidth = 200;
const kHeight = 10;

/** How much of something is spent: the share as a bar, and in words. */
export function Bar({ spent, limit, label }: { spent: number; limit: number; label: string }) {
  const share = limit > 0 ? Math.min(1, Math.max(0, spent / limit)) : spent > 0 ? 1 : 0;
  const level = share >= 0.9 ? 'bar-full' : share >= 0.7 ? 'bar-high' : 'bar-low';
  return (
    <svg class={`bar ${level}`} viewBox={`0 0 ${kWidth} ${kHeight}`} preserveAspectRatio="none" role="img" aria-label={label}>
      <rect class="bar-ground" width={kWidth} height={kHeight} />
      {share > 0 && <rect class="bar-share" width={Math.max(4, share * kWidth)} height={kHeight} />}
    </svg>
  );
}
