import { useEffect, useLayoutEffect, useRef } from "preact/hooks";

const uuid = /^#[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The session that the address names, as in `/console#<sessionId>`; null: none. */
export function sessionInAddress(): string | null {
  return uuid.test(location.hash) ? location.hash.slice(1) : null;
}

/**
 * Keeps the address with what is open, so that it is open again after a reload, and the way back of a browser, or of a
 * phone, leads from a session to the list.
 * @param show told what the address names when somebody goes back or forth
 */
export function usePlace(sessionId: string | null, show: (sessionId: string | null) => void): void {
  const shown = useRef(show);
  shown.current = show;
  useLayoutEffect(() => {
    const named = sessionInAddress();
    if (named !== null) shown.current(named);
    const moved = () => shown.current(sessionInAddress());
    addEventListener("popstate", moved);
    return () => removeEventListener("popstate", moved);
  }, []);
  useEffect(() => {
    const named = sessionInAddress();
    if (named === sessionId) return;
    const { isOverList = false } = (history.state ?? {}) as { readonly isOverList?: boolean };
    const address = sessionId === null ? location.pathname + location.search : `#${sessionId}`;
    // One entry over that of the list is enough, however many sessions are opened.
    if (named === null && !isOverList) history.pushState({ isOverList: true }, "", address);
    else history.replaceState(history.state, "", address);
  }, [sessionId]);
}
