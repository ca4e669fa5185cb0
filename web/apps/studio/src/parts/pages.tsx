/** @jsxImportSource preact */
/** Leafing through a list. */

import { Button } from "./basics";

export function Pages({ page, limit, total, turn }: { page: number; limit: number; total: number; turn: (page: number) => void }) {
  const last = Math.max(1, Math.ceil(total / limit));
  if (last === 1) return null;
  return (
    <nav class="pages" aria-label="Pages">
      <Button class="small" icon="back" disabled={page <= 1} onClick={() => turn(page - 1)}>Newer</Button>
      <span class="quiet small">{page} of {last}</span>
      <Button class="small" disabled={page >= last} onClick={() => turn(page + 1)}>Older</Button>
    </nav>
  );
}
