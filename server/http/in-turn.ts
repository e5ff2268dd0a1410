import type { RequestHandler, Response } from "express";
import type { Socket } from "node:net";

/**
 * Handles the requests of one connection one after another: of what was sent ahead none is begun before the answer to
 * the one before it has left, or a client that reads nothing would have as many answers made as it asks for. (SPEC L30)
 */
export function inTurn(): RequestHandler {
  const latest = new WeakMap<Socket, Response>();
  return (request, response, next) => {
    const before = latest.get(request.socket);
    latest.set(request.socket, response);
    const proceed = () => {
      // Of who has gone nothing more is done.
      if (!request.socket.destroyed) next();
    };
    if (before === undefined || before.closed) proceed();
    else before.once("close", proceed);
  };
}
