import { crc32 } from "node:zlib";

const checksumBytes = 4;

/** One that takes more has a buffer of its own. */
const scratch = Buffer.allocUnsafeSlow(64 * 1024);
/** A UTF-16 unit has at most so many bytes of UTF-8. */
const bytesPerUnitMax = 3;

/**
 * A record in the embedded store: a CRC-32 of the JSON that follows it.
 * @returns bytes that are good until the next record is encoded: what is put in a transaction, LMDB copies at once
 */
export function encodeRecord(value: unknown): Buffer {
  const json = JSON.stringify(value);
  const bytesMax = checksumBytes + bytesPerUnitMax * json.length;
  const buffer = bytesMax <= scratch.length ? scratch : Buffer.allocUnsafe(bytesMax);
  const end = checksumBytes + buffer.write(json, checksumBytes);
  buffer.writeUInt32BE(crc32(buffer.subarray(checksumBytes, end)), 0);
  return buffer.subarray(0, end);
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
