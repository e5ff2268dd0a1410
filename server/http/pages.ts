import { z } from "zod";
import type { Described } from "./openapi.js";

const page = { method: "get", action: "page.read" } as const;
const html = { 200: { type: "text/html" } } as const;
const file = { 200: { type: "*/*" } } as const;

/** `status` is that of the protocol; the messages are those of its serializer. (SPEC T7) */
const polled = z.strictObject({
  status: z.int(),
  token: z.string().optional(),
  messages: z.array(z.string()).optional(),
});
const socketRefusals = { 400: null, 429: null, 500: null, 503: null } as const;
// LONGPOLL may be off.
const longpoll = { answers: { 200: polled, 403: polled, ...socketRefusals }, allProblems: [404] } as const;

/** What the server answers beside the routes of the API: files, figures, and the doors of the sockets. */
export const beside: readonly Described[] = [
  { ...page, path: "/", doc: { summary: "The chat page", answers: html } },
  { ...page, path: "/console", doc: { summary: "The page of coordinators", answers: html } },
  {
    ...page,
    path: "/widget.js",
    doc: { summary: "The chat in a page elsewhere", answers: { 200: { type: "text/javascript" } } },
  },
  { ...page, path: "/:file", doc: { summary: "What the pages are made of", answers: file } },
  {
    ...page,
    path: "/metrics",
    doc: { summary: "Figures of the process, for Prometheus", answers: { 200: { type: "text/plain" } } },
  },
  {
    ...page,
    path: "/socket/websocket",
    doc: {
      summary: "Phoenix channels over a WebSocket: `GET` with an upgrade (SPEC T)",
      answers: { 101: null, 400: { type: "text/plain" }, 403: null, 429: null, 500: null, 503: null },
      allProblems: [],
    },
  },
  { ...page, path: "/socket/longpoll", doc: { summary: "Phoenix channels by long polls (SPEC T)", ...longpoll } },
  {
    ...page,
    ...{ method: "post", path: "/socket/longpoll" },
    doc: { summary: "What a client says by long polls: lines of frames (SPEC T)", ...longpoll },
  },
];
