import { expect, test } from "@jest/globals";
import { dynamoViolations } from "./dynamo-rules.js";

const asked = { TableName: "t", ReturnConsumedCapacity: "INDEXES", Limit: 1 };

test.each(["Scan", "TransactWriteItems", "TransactGetItems", "ExecuteStatement"])("[S-10] %s is told", (operation) => {
  expect(dynamoViolations([{ operation, body: {} }])).toEqual([operation]);
});

test.each([
  ["ConditionExpression", "attribute_not_exists(status)", ["status"]],
  ["ConditionExpression", "#a = :a AND NOT attribute_exists(#b)", []],
  ["UpdateExpression", "SET #a = if_not_exists(#a, :zero), name = :n REMOVE #b.#c", ["name"]],
  ["KeyConditionExpression", "#a = :a AND #b BETWEEN :c AND :d", []],
  ["ProjectionExpression", "#a, b, #c.d", ["b", "d"]],
])("[S-10] names that stand bare in %s %j", (kind, expression, bare) => {
  const body = { ...asked, ConsistentRead: true, [kind]: expression };
  expect(dynamoViolations([{ operation: "Query", body }])).toEqual(
    bare.map((word) => `Query: ${word} stands bare in ${kind}`),
  );
});

test("[S-06] a read of a table that is not consistent is told, one of an index is not", () => {
  const operations = (body: object) =>
    ["GetItem", "Query"].flatMap((operation) => dynamoViolations([{ operation, body: { ...asked, ...body } }]));
  expect(operations({})).toEqual(["GetItem of t is not consistent", "Query of t is not consistent"]);
  expect(operations({ ConsistentRead: true })).toEqual([]);
  expect(dynamoViolations([{ operation: "Query", body: { ...asked, IndexName: "owner" } }])).toEqual([]);
  const RequestItems = { t: { Keys: [] }, u: { Keys: [], ConsistentRead: true } };
  expect(dynamoViolations([{ operation: "BatchGetItem", body: { ...asked, RequestItems } }])).toEqual([
    "BatchGetItem of t is not consistent",
  ]);
});

test("[S] a request that does not say what it costs, or may cost anything, is told", () => {
  expect(dynamoViolations([{ operation: "PutItem", body: { TableName: "t" } }])).toEqual([
    "PutItem does not say what it costs",
  ]);
  const body = { ...asked, ConsistentRead: true, Limit: undefined };
  expect(dynamoViolations([{ operation: "Query", body }])).toEqual(["Query without a limit"]);
  expect(dynamoViolations([{ operation: "DescribeTable", body: { TableName: "t" } }])).toEqual([]);
});
