import { crc32 } from "node:zlib";

const checksumBytes = 4;

/** A record in the embedded store: a CRC-32 of the JSON that follows it. */
export function encodeRecord(value: unknown): Buffer {
  const json = JSON.stringify(value);
  const record = Buffer.allocUnsafe(checksumBytes + Buffer.byteLength(json));
  record.write(json, checksumBytes, "utf8");
  record.writeUInt32BE(crc32(record.subarray(checksumBytes)), 0);
  return record;
}

/** A record whose checksum does not match what it holds. It is never taken for an answer. */
export class DamagedRecord extends Error {
  override readonly name = "DamagedRecord";
}

/** @param name where the record lies, for the error @throws DamagedRecord */
export function decodeRecord<T>(record: Uint8Array, name: () => string): T {
  const bytes = Buffer.from(record.buffer, record.byteOffset, record.byteLength);
  if (bytes.length < checksumBytes || bytes.readUInt32BE(0) !== crc32(bytes.subarray(checksumBytes))) {
    throw new DamagedRecord(`the record ${name()} is damaged`);
  }
  return JSON.parse(bytes.toString("utf8", checksumBytes)) as T;
}
