import { createServer } from "node:http";
import { Channel, Endpoint, error, ok, Presence, refuse } from "bennu";

export function createChatServer() {
  class Room extends Channel {
    readonly #name = String(this.socket.assigns.name);

    override join() {
      if (this.topic === "room:secret" && this.#name !== "alice") return error({ reason: "members only" });
      this.send("joined");
      return ok({ topic: this.topic, you: this.#name });
    }

    override handleInfo() {
      presence.track(this, this.#name, { since: new Date().toISOString(), typing: false });
      this.push("presence_state", presence.list(this.topic));
    }

    override handleIn(event: string, payload: unknown) {
      const { text, typing } = payload as { text?: unknown; typing?: unknown };
      if (event === "typing") presence.update(this, this.#name, (old) => ({ ...old, typing: typing === true }));
      else if (event !== "say") return error({ reason: "unknown event" });
      else if (typeof text !== "string" || text.length > 500) return error({ reason: "say something shorter" });
      else this.broadcast("said", { from: this.#name, text });
      return ok();
    }
  }

  const connect = ({ name }: { name?: unknown }) =>
    typeof name === "string" ? { id: `user:${name}`, assigns: { name } } : refuse();
  const endpoint = new Endpoint({ mounts: { "/socket": { connect, channels: { "room:*": Room } } } });
  const presence = new Presence(endpoint);
  const server = createServer((request, response) => void (endpoint.handle(request, response) || response.end()));
  endpoint.attach(server);
  return { server, endpoint, presence };
}
