import { describe, expect, test } from "@jest/globals";
import { type Business, defaultBusiness, isTrusted } from "../../server/messaging/business.js";
import { compose, etagOf, readBusiness, withDocument, writtenOf } from "../../server/messaging/business-changes.js";

const document = { documentId: "a", title: "A", text: "a" };
const file: Business = { ...defaultBusiness("B1", "UTC"), origin: "file" };
const ofFile: Business = { ...file, documents: [document] };
const stored = writtenOf(defaultBusiness("B1", "Europe/London"));

describe("[B6] whose word a business is", () => {
  test("a file's documents leave it that of the file, and a business that was stored over it is not", () => {
    const changes = withDocument(null, { documentId: "a", document }, file);
    const withDocuments = compose(changes, file);
    expect(withDocuments).toMatchObject({ ok: true, value: { documents: [document] } });
    expect(withDocuments.ok && isTrusted(withDocuments.value)).toBe(true);
    const whole = compose({ business: stored }, file);
    expect(whole.ok && isTrusted(whole.value)).toBe(false);
  });

  test("nobody can say that it is", () => {
    expect(compose({ business: { ...stored, origin: "file" } }, null).ok).toBe(false);
  });
});

test("[B7] documents of a business that is not there are none", () => {
  expect(compose({ documents: [{ documentId: "a", document }] }, null)).toEqual({
    ok: false,
    reason: { kind: "not_found" },
  });
});

test("[B7] a document that was taken away and comes back is there once", () => {
  const gone = withDocument(null, { documentId: "a", document: null }, ofFile);
  expect(withDocument(gone, { documentId: "a", document }, ofFile)).toEqual({
    documents: [{ documentId: "a", document }],
  });
});

test("[H9] the name of a value goes by what it holds, and not by the order of its keys", () => {
  expect(etagOf({ a: 1, b: { c: [1, 2], d: 2 } })).toBe(etagOf({ b: { d: 2, c: [1, 2] }, a: 1 }));
  expect(etagOf({ a: [1, 2] })).not.toBe(etagOf({ a: [2, 1] }));
});

test("[B5] a document changes nothing else of what is stored, though this server cannot use it", () => {
  const business = { ...stored, agent: { kind: "of tomorrow" } };
  const changed = withDocument({ business }, { documentId: "a", document }, file);
  expect(changed).toEqual({ business: { ...business, documents: [document] } });
  expect(compose(changed, file).ok).toBe(false);
});

test("[B7] that a document is gone is stored only of one of the file: others leave nothing behind", () => {
  let changes = withDocument(null, { documentId: "a", document: null }, ofFile);
  expect(compose(changes, ofFile)).toMatchObject({ ok: true, value: { documents: [] } });
  for (let n = 0; n < 3; n += 1) {
    const added = withDocument(
      changes,
      { documentId: `d${n}`, document: { ...document, documentId: `d${n}` } },
      ofFile,
    );
    changes = withDocument(added, { documentId: `d${n}`, document: null }, ofFile);
  }
  expect(changes).toEqual({ documents: [{ documentId: "a", document: null }] });
});

test("[H9] all that is wrong is told at once: fields, what refers to nothing, and what cannot be here", () => {
  const given = {
    ...{ ...stored, locale: "fr", businessId: "B2" },
    services: [{ name: "Bread" }, { name: "Bread" }],
    agent: { kind: "http", url: "http://127.0.0.1/" },
  };
  const seen: (string | undefined)[] = [];
  const read = readBusiness(given, ({ agent }) => {
    seen.push(agent?.kind);
    return [{ path: ["agent", "url"], message: "no" }];
  });
  const paths = read.ok || read.reason.kind !== "invalid" ? [] : read.reason.problems.map(({ path }) => path.join("."));
  expect(paths).toEqual(["locale", "services.1.name", "agent.url"]);
  expect(seen).toEqual(["http"]);
  // What is not sound itself refers to nothing.
  const unsound = readBusiness({ ...given, services: [{ name: "Bread" }, { name: 5 }] });
  expect(unsound.ok || (unsound.reason.kind === "invalid" && unsound.reason.problems)).toHaveLength(2);
});
