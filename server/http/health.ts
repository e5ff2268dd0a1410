import { Router } from "express";

/** What keeps the server from being ready, and what about it is insecure. */
export interface Health {
  problems(): readonly string[];
  readonly insecure: readonly string[];
}

/** `/healthz`: the process is alive. `/readyz`: it can do its work; 503 and why, if it cannot. (SPEC H6) */
export function healthRoutes(health: Health): Router {
  const router = Router();
  router.get("/healthz", (_request, response) => {
    response.json({ status: "ok" });
  });
  router.get("/readyz", (_request, response) => {
    const problems = health.problems();
    const status = problems.length === 0 ? "ready" : "not ready";
    response.status(problems.length === 0 ? 200 : 503).json({ status, problems, insecure: health.insecure });
  });
  return router;
}
