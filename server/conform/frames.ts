export type Vsn = "1.0.0" | "2.0.0";

/** A message in the form of version 2, which both versions are checked by. Bytes are a payload of version 2 alone. */
export type Message = readonly [joinRef: unknown, ref: unknown, topic: unknown, event: unknown, payload: unknown];

/** A frame that came, or should: JSON, or `{binary, …}` with the fields of a binary frame. */
export type Frame = unknown;

/** What a client of a version sends. */
export function encode(vsn: Vsn, [joinRef, ref, topic, event, payload]: Message): string | Uint8Array {
  if (vsn === "1.0.0") return JSON.stringify({ topic, event, payload, ref, join_ref: joinRef });
  if (!(payload instanceof Uint8Array)) return JSON.stringify([joinRef, ref, topic, event, payload]);
  const fields = [joinRef, ref, topic, event].map((field) => Buffer.from(field as string));
  return Buffer.concat([Buffer.of(0, ...fields.map((field) => field.length)), ...fields, payload]);
}

/** What a server should send: version 1 has four keys and no join_ref. */
export function expectedFrame(vsn: Vsn, [joinRef, ref, topic, event, payload]: Message): Frame {
  return vsn === "1.0.0" ? { topic, event, payload, ref } : [joinRef, ref, topic, event, payload];
}

/** What came, as far as it can be read. */
export function decode(data: Buffer, isBinary: boolean): Frame {
  if (isBinary) return decodeBinary(data);
  const text = data.toString("utf8");
  try {
    const value: unknown = JSON.parse(text);
    // Some clients look for what stands at which place, so text that means the same is not the same. (SPEC W6)
    return /^(?:[^"\s]|"(?:[^"\\]|\\.)*")*$/.test(text) ? value : { textWithSpaces: text };
  } catch {
    return { noJson: text };
  }
}

const kinds = [
  { binary: "push", fields: ["joinRef", "topic", "event"] },
  { binary: "reply", fields: ["joinRef", "ref", "topic", "status"] },
  { binary: "broadcast", fields: ["topic", "event"] },
] as const;

function decodeBinary(bytes: Buffer): Frame {
  const kind = kinds[bytes[0] ?? -1];
  if (kind === undefined) return { binary: bytes.toString("hex") };
  let at = 1 + kind.fields.length;
  const fields = kind.fields.map((name, index) => {
    const end = at + (bytes[1 + index] ?? 0);
    const text = bytes.toString("utf8", at, end);
    at = end;
    return [name, text];
  });
  return { binary: kind.binary, ...(Object.fromEntries(fields) as object), data: bytes.toString("hex", at) };
}
