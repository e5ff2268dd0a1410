/** As many of the texts, from the first on, as fit into so many bytes of UTF-8 together; none is cut. */
export function fitting(texts: readonly string[], maxBytes: number): readonly string[] {
  let bytes = 0;
  const over = texts.findIndex((text) => {
    bytes += Buffer.byteLength(text);
    return bytes > maxBytes;
  });
  return over === -1 ? texts : texts.slice(0, over);
}
