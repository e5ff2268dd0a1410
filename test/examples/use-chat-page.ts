import { createElement, render } from "preact/compat";
import { useChat } from "./use-chat.js";

function Page({ userId }: { readonly userId: string }) {
  const { messages, running, status, chat } = useChat({ url: "/socket", businessId: "B0100001", userId });
  const rows = [...messages.map(({ content }) => content), ...running.map(({ text }) => `${text}…`)];
  return createElement("main", { "data-state": status.state }, [
    createElement("ul", { key: "rows" }, rows.map((row, index) => createElement("li", { key: index }, row))), // prettier-ignore
    createElement("button", { key: "say", onClick: () => void chat?.send("hello") }, "Say hello"),
  ]);
}

const show = (userId: string) => render(createElement(Page, { userId }), document.body);
Object.assign(globalThis, { show });
show("ana");
