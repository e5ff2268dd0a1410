import { z } from "zod";
import type { Route } from "./route.js";

/** What keeps the server from being ready, and what about it is insecure. */
export interface Health {
  problems(): readonly string[];
  readonly insecure: readonly string[];
}

const readiness = z.strictObject({
  status: z.enum(["ready", "not ready"]),
  problems: z.array(z.string()),
  insecure: z.array(z.string()),
});

/** `/healthz`: the process is alive. `/readyz`: it can do its work; 503 and why, if it cannot. (SPEC H6) */
export function healthRoutes(health: Health): readonly Route[] {
  return [
    {
      method: "get",
      path: "/healthz",
      doc: { summary: "The process is alive", answers: { 200: z.strictObject({ status: z.literal("ok") }) } },
      action: "page.read",
      handle: (_request, response) => void response.json({ status: "ok" }),
    },
    {
      method: "get",
      path: "/readyz",
      doc: { summary: "It can do its work; what is wrong, if not", answers: { 200: readiness, 503: readiness } },
      action: "page.read",
      handle: (_request, response) => {
        const problems = health.problems();
        const status = problems.length === 0 ? "ready" : "not ready";
        response.status(problems.length === 0 ? 200 : 503).json({ status, problems, insecure: health.insecure });
      },
    },
  ];
}
