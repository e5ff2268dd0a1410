import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** One recorded conversation with a Phoenix server: what was sent, and what came of it. */
export interface Transcript {
  readonly name: string;
  readonly tags: readonly string[];
  readonly steps: readonly Step[];
}

export type Step =
  | ConnectStep
  | ({ readonly op: "send"; readonly c: string } & Sending)
  | ExpectStep
  | HttpStep
  | { readonly op: "await"; readonly bg: string; readonly expect: unknown; readonly took?: Range }
  | { readonly op: "sleep"; readonly ms: number }
  | { readonly op: "close"; readonly c: string; readonly code?: number; readonly reason?: string }
  | { readonly op: "kill"; readonly c: string }
  | { readonly op: "closedAfter"; readonly c: string; readonly min: number; readonly max: number };

export type Range = readonly [min: number, max: number];

export interface ConnectStep {
  readonly op: "connect";
  readonly c: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly protocols?: readonly string[];
  readonly deflate?: boolean;
  readonly loose?: boolean;
  readonly expect: { readonly open: boolean; readonly status: number };
}

/** What one client sends. Exactly one of the ways is given. */
export interface Sending {
  readonly text?: string;
  readonly binary?: string;
  readonly textBytes?: string;
  readonly prefix?: string;
  readonly repeat?: string;
  readonly times?: number;
  readonly suffix?: string;
  readonly fragments?: readonly string[];
  readonly ping?: string;
  readonly rawHex?: string;
  readonly burst?: readonly Sending[];
}

export interface ExpectStep {
  readonly op: "expect";
  readonly clients: Readonly<Record<string, { readonly frames: readonly unknown[]; readonly close: unknown }>>;
  readonly wait?: number;
  readonly quiet?: number;
  readonly sorted?: boolean;
  readonly drop?: Readonly<Record<string, readonly string[]>>;
  readonly closeAny?: Readonly<Record<string, readonly number[]>>;
}

export interface HttpStep {
  readonly op: "http";
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly bodyBase64?: string;
  readonly bodyRepeat?: {
    readonly prefix: string;
    readonly repeat: string;
    readonly times: number;
    readonly suffix: string;
  };
  readonly save?: Readonly<Record<string, string>>;
  readonly loose?: boolean;
  readonly bg?: string;
  readonly took?: Range;
  readonly expect?: unknown;
}

/** All transcripts of a folder, by name. */
export function loadTranscripts(folder: string): Transcript[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(".json"))
    .sort()
    .map((file) => JSON.parse(readFileSync(join(folder, file), "utf8")) as Transcript);
}
