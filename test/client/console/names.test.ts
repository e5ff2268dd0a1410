import { expect, test } from "@jest/globals";
import { labelsFor } from "../../../client/console/labels.js";
import { coordinatorName, customerName } from "../../../client/console/names.js";
import { entriesOf } from "../../../client/console/transcript.js";

const uuid = "5a1c2b5e-5f0a-4f8e-9d57-0a4c0c8f9f3e";

test.each<[string | null, string]>([
  [null, "Unknown"],
  ["ana", "ana"],
  ["telegram:55120934", "telegram:55120934"],
  [uuid, "Visitor 9f3e"],
  [uuid.toUpperCase(), "Visitor 9F3E"],
  [`visitor-${uuid}`, "Visitor 9f3e"],
  [`web:${uuid}`, "Visitor 9f3e"],
  // Only who has no other name is a visitor.
  ["visitor-7Q2M", "visitor-7Q2M"],
  [`telegram:${uuid}`, `telegram:${uuid.slice(0, 31)}…`],
  [`${uuid}-ana`, `${uuid}-ana`],
])("[console] a customer whose id is %j is called %j", (userId, name) => {
  expect(customerName(userId, labelsFor("en"))).toBe(name);
});

test.each([
  ["carla", "You"],
  ["maria", "maria"],
  [uuid, "Colleague 9f3e"],
  // Stored before it was told who wrote it.
  [undefined, "Colleague"],
])("[console] [M39] a reply that %j wrote is by %j", (coordinatorId, name) => {
  const said = { messageId: "m1", type: "coordinator", offset: 1, content: "hi", metadata: { coordinatorId } };
  const desk = { isOwn: (id: string | undefined) => id === "carla" };
  expect(entriesOf([said]).map((entry) => coordinatorName(desk, entry.coordinatorId, labelsFor("en")))).toEqual([name]);
});
