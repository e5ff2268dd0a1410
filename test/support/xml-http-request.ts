import { type ClientRequest, request as httpRequest } from "node:http";

/** As much of a browser's XMLHttpRequest as the long-poll transport of phoenix.js uses. */
export class XmlHttpRequest {
  readyState = 0;
  responseText = "";
  timeout = 0;
  onreadystatechange: (() => void) | null = null;
  onerror: (() => void) | null = null;
  ontimeout: (() => void) | null = null;
  /** Every request made, for a test to look at. */
  static readonly made: { method: string; url: string; headers: Record<string, string>; body: string }[] = [];
  readonly #headers: Record<string, string> = {};
  #method = "";
  #url = "";
  #request: ClientRequest | null = null;

  open(method: string, url: string): void {
    this.#method = method;
    this.#url = url;
  }

  setRequestHeader(name: string, value: string): void {
    this.#headers[name.toLowerCase()] = value;
  }

  send(body: string | null): void {
    const [method, url, headers] = [this.#method, this.#url, this.#headers];
    XmlHttpRequest.made.push({ method, url, headers, body: body ?? "" });
    this.#request = httpRequest(url, { method, headers, agent: false }, (response) => {
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (this.responseText += chunk));
      // Cut off in the middle of its body.
      response.on("error", () => this.onerror?.());
      response.on("end", () => {
        this.readyState = 4;
        this.onreadystatechange?.();
      });
    });
    this.#request.on("error", () => this.onerror?.());
    this.#request.end(body ?? undefined);
  }

  abort(): void {
    this.onreadystatechange = null;
    this.onerror = null;
    this.#request?.destroy();
  }
}
