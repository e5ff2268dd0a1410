/** Runs in the page: leaves every shift in `window.shifts`, also those that a key or a click a moment before excuses. */
export function watchShifts(): void {
  const shifts: unknown[] = [];
  Object.assign(globalThis, { shifts });
  type Shift = PerformanceEntry & {
    value: number;
    hadRecentInput: boolean;
    sources: { node: Element | null; previousRect: DOMRect; currentRect: DOMRect }[];
  };
  const watch = new PerformanceObserver((list) => {
    for (const { value, hadRecentInput, sources } of list.getEntries() as Shift[])
      shifts.push({
        ...{ value, hadRecentInput },
        of: sources.map(
          ({ node, previousRect: a, currentRect: b }) =>
            `${node?.nodeName} ${node?.id} ${node?.className} ${a.x},${a.y},${a.width},${a.height} ${b.x},${b.y},${b.width},${b.height}`,
        ),
      });
  });
  watch.observe({ type: "layout-shift", buffered: true });
}
