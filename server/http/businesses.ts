import type { Request, Response } from "express";
import { isBusinessId } from "../../protocol/payloads.js";
import type { Result } from "../../protocol/result.js";
import type { Action } from "../auth/access.js";
import type { DeskTelemetry } from "../desk-telemetry.js";
import { businessFields, documentSchema } from "../messaging/business.js";
import { type BusinessRefusal, businessBytesMax, etagOf, writtenOf } from "../messaging/business-changes.js";
import { type BusinessProblem, isWritten, problemsIn } from "../messaging/business-problems.js";
import {
  type BusinessChanged,
  type Businesses,
  documentOf,
  type Expects,
  storedBusinessesMax,
} from "../messaging/businesses.js";
import { isAllowed } from "./identify.js";
import { sendProblem } from "./problem.js";
import type { Route } from "./route.js";

export interface BusinessesDeps {
  readonly businesses: Pick<Businesses, "find" | "put" | "putDocument" | "deleteDocument">;
  readonly telemetry: DeskTelemetry;
}

const path = "/api/businesses/:businessId";
const documentPath = `${path}/documents/:documentId`;

const business = businessFields.meta({ id: "Business" });
// Under a name of its own: what has a default is there in an answer, and need not be in a body.
const newBusiness = businessFields.meta({ id: "NewBusiness" });
const document = documentSchema.meta({ id: "BusinessDocument" });
const ifMatch = { "If-Match": "The ETag of what is to be replaced; without it, whatever there is" };
const answerHeaders = { ETag: "What If-Match takes" } as const;

/** What is told of the problems of one business. */
const problemsMax = 100;

/** What a business is, and the documents that its agent knows. (SPEC H9, H10) */
export function businessRoutes(deps: BusinessesDeps): readonly Route[] {
  const write = { action: "business.write", bodyBytesMax: businessBytesMax } as const;
  return [
    {
      method: "get",
      path,
      action: "business.read",
      doc: { summary: "All that a business is", answers: { 200: business }, answerHeaders },
      handle: (...http) => read(deps, ...http),
    },
    {
      method: "put",
      path,
      ...write,
      doc: {
        ...{ summary: "Stores a business", body: newBusiness, headers: ifMatch },
        ...{ answers: { 200: business, 201: business }, answerHeaders, problems: [409, 412] },
      },
      handle: (...http) => put(deps, ...http),
    },
    {
      method: "get",
      path: documentPath,
      action: "business.read",
      doc: { summary: "A document that the agent knows", answers: { 200: document }, answerHeaders },
      handle: (...http) => readDocument(deps, ...http),
    },
    {
      method: "put",
      path: documentPath,
      ...write,
      doc: {
        ...{ summary: "Stores a document", body: document.partial({ documentId: true }), headers: ifMatch },
        ...{ answers: { 200: document, 201: document }, answerHeaders, problems: [409, 412] },
      },
      handle: (...http) => putDocument(deps, ...http),
    },
    {
      method: "delete",
      path: documentPath,
      ...write,
      doc: {
        summary: "Takes a document away",
        headers: ifMatch,
        answers: { 204: null },
        problems: [409, 412, 413],
      },
      handle: (...http) => deleteDocument(deps, ...http),
    },
  ];
}

function read(deps: BusinessesDeps, request: Request, response: Response): void {
  const businessId = allowedId(deps, request, "business.read");
  const business = businessId === null ? null : deps.businesses.find(businessId);
  if (business === null) sendProblem(response, "not_found");
  else send(response, 200, writtenOf(business));
}

async function put(deps: BusinessesDeps, request: Request, response: Response): Promise<void> {
  const businessId = allowedId(deps, request, "business.write");
  if (businessId === null) return sendProblem(response, "not_found");
  const changed = await deps.businesses.put(businessId, request.body, expectation(request));
  if (!changed.ok) return refuse(response, changed.reason);
  send(response, changed.value.isNew ? 201 : 200, writtenOf(changed.value.business));
}

function readDocument(deps: BusinessesDeps, request: Request, response: Response): void {
  const businessId = allowedId(deps, request, "business.read");
  const business = businessId === null ? null : deps.businesses.find(businessId);
  const document = business === null ? null : documentOf(business, documentIdOf(request));
  if (document === null) sendProblem(response, "not_found");
  else send(response, 200, document);
}

async function putDocument(deps: BusinessesDeps, request: Request, response: Response): Promise<void> {
  const businessId = allowedId(deps, request, "business.write");
  // Whether there is such a business goes before what is wrong with its document.
  if (businessId === null || deps.businesses.find(businessId) === null) return sendProblem(response, "not_found");
  const documentId = documentIdOf(request);
  const given: unknown = request.body;
  // The path says which one it is; a body that says so too must say the same.
  const body = typeof given === "object" && given !== null && !Array.isArray(given) ? { documentId, ...given } : given;
  const parsed = documentSchema.safeParse(body);
  if (!parsed.success) {
    return refuse(response, { kind: "invalid", problems: problemsIn(parsed.error, (at) => isWritten(body, at)) });
  }
  if (parsed.data.documentId !== documentId) {
    const problem = { path: ["documentId"], message: `expected "${documentId}", as in the path` };
    return refuse(response, { kind: "invalid", problems: [problem] });
  }
  let isNew = false;
  const expects = expectation(request);
  const changed = await deps.businesses.putDocument(businessId, parsed.data, (etag) => {
    isNew = etag === null;
    return expects(etag);
  });
  if (!changed.ok) return refuse(response, changed.reason);
  send(response, isNew ? 201 : 200, parsed.data);
}

async function deleteDocument(deps: BusinessesDeps, request: Request, response: Response): Promise<void> {
  const businessId = allowedId(deps, request, "business.write");
  if (businessId === null) return sendProblem(response, "not_found");
  const documentId = documentIdOf(request);
  const changed: Result<BusinessChanged, BusinessRefusal> = await deps.businesses.deleteDocument(
    businessId,
    documentId,
    expectation(request),
  );
  if (!changed.ok) return refuse(response, changed.reason);
  response.status(204).end();
}

/** Null for what is not there and for what is not yours. (SPEC X7) */
function allowedId({ telemetry }: BusinessesDeps, request: Request, action: Action): string | null {
  const { businessId } = request.params as { readonly businessId: string };
  return isBusinessId(businessId) && isAllowed(telemetry, request, action, { businessId }) ? businessId : null;
}

function documentIdOf(request: Request): string {
  return (request.params as { readonly documentId: string }).documentId;
}

/** What `If-Match` asks for; without it, anything will do. (RFC 9110) */
function expectation(request: Request): Expects {
  const asked = request.headers["if-match"];
  if (asked === undefined) return () => true;
  if (asked.trim() === "*") return (etag) => etag !== null;
  const etags = asked.split(",").map((etag) => etag.trim());
  return (etag) => etag !== null && etags.includes(etag);
}

function send(response: Response, status: number, value: unknown): void {
  response.status(status).set("etag", etagOf(value)).json(value);
}

function refuse(response: Response, refusal: BusinessRefusal): void {
  switch (refusal.kind) {
    case "not_found":
      return sendProblem(response, "not_found");
    case "changed":
      return sendProblem(response, "precondition_failed");
    case "too_large":
      return sendProblem(response, "payload_too_large", `a business has at most ${businessBytesMax} bytes of JSON`);
    case "too_many":
      return sendProblem(response, "too_many_businesses", `at most ${storedBusinessesMax} can be stored`);
    case "invalid": {
      const errors = refusal.problems.slice(0, problemsMax).map(errorOf);
      return sendProblem(response, "invalid_payload", errors[0]?.message, errors);
    }
  }
}

function errorOf({ path: at, key, message }: BusinessProblem) {
  return { path: [...at, ...(key === undefined ? [] : [key])].join("."), message };
}
