import type { RowState } from "./rows.js";

const shapes = {
  waiting: <circle cx="8" cy="8" r="5" fill="currentColor" />,
  human: (
    <>
      <circle cx="8" cy="5.4" r="2.6" fill="currentColor" />
      <path d="M3 13.5c0-2.9 2.2-4.6 5-4.6s5 1.7 5 4.6z" fill="currentColor" />
    </>
  ),
  answered: <circle cx="8" cy="8" r="4" fill="none" stroke="currentColor" stroke-width="1.6" />,
  resolved: (
    <path d="m3.6 8.4 3 3 5.8-6.4" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" />
  ),
} as const satisfies Record<RowState, unknown>;

/** Told by its shape as well as by its colour; in words it stands beside. */
export function StateIcon({ state }: { readonly state: RowState }) {
  return (
    <svg class={`state ${state}`} viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      {shapes[state]}
    </svg>
  );
}

export function BackIcon() {
  return (
    <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      <path d="M10 3 5 8l5 5" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" />
    </svg>
  );
}
