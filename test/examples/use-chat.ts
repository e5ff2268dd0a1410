import { Chat, type ChatOptions, type ChatView } from "bennu/client";
// In an app with React: from "react". Both have the same names.
import { useCallback, useEffect, useState, useSyncExternalStore } from "preact/compat";

const nothing: ChatView = {
  messages: [],
  running: [],
  typists: [],
  status: { state: "idle" },
  holder: null,
  intent: null,
};

/** A customer's chat as a hook: what there is to show, and the chat to do things with, once it is there. */
export function useChat(options: ChatOptions): ChatView & { readonly chat: Chat | null } {
  const { url, businessId, userId } = options;
  const [chat, setChat] = useState<Chat | null>(null);

  // Whoever else the chat is for is another chat. Other options count when it is made.
  useEffect(() => {
    const made = new Chat(options);
    setChat(made);
    made.connect();
    return () => void made.leave();
  }, [url, businessId, userId]);

  const subscribe = useCallback((changed: () => void) => chat?.onChange(changed) ?? (() => undefined), [chat]);
  const view = useSyncExternalStore(subscribe, () => chat?.view ?? nothing);
  return { ...view, chat };
}
