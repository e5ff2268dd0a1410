import { type Agent, request } from "node:http";

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

export interface HttpQuestion {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** Whose connections it may use. Without, it has one of its own. */
  readonly agent?: Agent;
}

/** One request whose path and headers are sent exactly as they are given; `fetch` would tidy them up. */
export function ask(
  { port }: { readonly port: number },
  path: string,
  { method = "GET", headers = {}, body, agent }: HttpQuestion = {},
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const asking = request({ host: "127.0.0.1", port, path, method, headers, agent: agent ?? false }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: Buffer.concat(chunks).toString("utf8"),
        }),
      );
    });
    asking.on("error", reject);
    // Beside a text Node would send the headers as UTF-8; as they are given is a byte a character.
    asking.end(typeof body === "string" ? Buffer.from(body) : body);
  });
}

/** An error as every one of them must be: JSON that says what it is, and no more. @returns its code */
export function problemCode({ status, headers, text }: HttpAnswer): unknown {
  const type = headers["content-type"];
  if (type !== "application/problem+json; charset=utf-8") throw new Error(`${status} came as ${String(type)}: ${text}`);
  const problem = JSON.parse(text) as Record<string, unknown>;
  const names = Object.keys(problem).filter((name) => name !== "detail" && name !== "errors");
  if (problem.status !== status || names.join() !== "type,title,status,code") throw new Error(`not a problem: ${text}`);
  return problem.code;
}
