/** Who is writing, to whom, and in which window. */
export interface Visitor {
  readonly businessId: string;
  readonly userId: string;
  readonly chatId: string;
}

const defaultBusinessId = "B0100001";

/** `?business=` and `?user=` choose; otherwise a user is made once and remembered by this browser. */
export function visitorOf(query: string): Visitor {
  const params = new URLSearchParams(query);
  return {
    businessId: params.get("business") ?? defaultBusinessId,
    userId: params.get("user") ?? remember(localStorage, "bennu.userId", () => `web:${crypto.randomUUID()}`),
    chatId: remember(sessionStorage, "bennu.chatId", () => crypto.randomUUID()),
  };
}

function remember(storage: Storage, key: string, make: () => string): string {
  const known = storage.getItem(key);
  if (known !== null) return known;
  const made = make();
  storage.setItem(key, made);
  return made;
}
