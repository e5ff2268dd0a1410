import { exists, type Place, type Question, type RouteRow } from "./access-rows.js";
import { here, nowhere, there } from "./principals.js";

// Nothing is scheduled or taken away here: who may is told what is missing.

const path = "/api/schedules";

function rowOf(done: number, asking: (owner: { businessId: string; userId: string }) => Partial<Question>): RouteRow {
  const questions = (place: Place) =>
    [here, there, nowhere].flatMap((businessId) =>
      ["ana", "bob", "Ana", "__proto__"].map((userId): Question => {
        const owner = { businessId, userId };
        const what = `those of ${userId} of ${businessId}`;
        return { what, path, ...asking(owner), about: owner, exists: exists(place, businessId) };
      }),
    );
  return { action: "schedule.use", done, missing: "/api/no-such-thing", questions };
}

const named = ({ businessId, userId }: { readonly businessId: string; readonly userId: string }) =>
  `${path}?businessId=${businessId}&userId=${userId}`;

export const scheduleRows: Readonly<Record<string, RouteRow>> = {
  [`get ${path}`]: rowOf(200, (owner) => ({ path: named(owner) })),
  [`post ${path}`]: rowOf(400, (owner) => ({ method: "POST", body: owner })),
  [`delete ${path}`]: rowOf(400, (owner) => ({ method: "DELETE", path: named(owner) })),
};
