import { ChatWindow } from "./chat-window.js";

const query = new URLSearchParams(location.search);
const { labels } = new ChatWindow({
  root: document,
  baseUrl: "",
  businessId: query.get("business") ?? "B0100001",
  userId: query.get("user"),
  language: navigator.language,
  named: (name) => (document.title = name),
  anew: () => location.reload(),
});
document.documentElement.lang = labels.lang;
document.title = labels.title;
