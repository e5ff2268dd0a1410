import { useEffect, useState } from "preact/hooks";
import type { Desk } from "./desk.js";

const tickMs = 5000;

/** Draws again when the desk has changed, at most once a frame: a burst of events is one picture. */
export function useChanges(desk: Desk): void {
  const [, setVersion] = useState(0);
  useEffect(() => {
    let frame: number | null = null;
    const draw = () => {
      frame = null;
      setVersion((version) => version + 1);
    };
    const stop = desk.onChange(() => (frame ??= requestAnimationFrame(draw)));
    draw();
    return () => {
      stop();
      if (frame !== null) cancelAnimationFrame(frame);
    };
  }, [desk]);
}

/** Wall time in ms, good enough for what is told in minutes. */
export function useNow(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const ticking = setInterval(() => setNow(Date.now()), tickMs);
    return () => clearInterval(ticking);
  }, []);
  return now;
}

/** `value` once it has rested for so long. */
export function useRested<Value>(value: Value, ms: number): Value {
  const [rested, setRested] = useState(value);
  useEffect(() => {
    const waiting = setTimeout(() => setRested(value), ms);
    return () => clearTimeout(waiting);
  }, [value, ms]);
  return rested;
}
