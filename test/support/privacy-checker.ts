/** Whom something belongs to, or who hears: a user of a business, or (null) its coordinators. */
export interface Principal {
  readonly businessId: string;
  readonly userId: string | null;
}

/** Whoever wrote for everybody: these names stand in `userId` for no user. */
const nobodies: ReadonlySet<unknown> = new Set(["agent", "coordinator", "system"]);

const markOf = ({ businessId, userId }: Principal) => `⟦${businessId}/${userId}⟧`;
const anyMark = /⟦([^/⟧]*)\/([^⟧]*)⟧/g;

/**
 * Knows whose each text and each id is, and finds in what somebody received whatever belongs to somebody else. Texts
 * carry their owner's mark; ids are told to it as they become known.
 */
export class PrivacyChecker {
  readonly #owners = new Map<string, Principal[]>();

  /** A text that bears its owner's name, however it is cut or embedded. */
  text(owner: Principal, text: string): string {
    return `${markOf(owner)} ${text}`;
  }

  /** An id that belongs to somebody: of a session, a message, a response or a connection. Told again, to both. */
  own(owner: Principal, ...ids: readonly unknown[]): void {
    for (const id of ids) if (typeof id === "string") this.#owners.set(id, [...(this.#owners.get(id) ?? []), owner]);
  }

  /** @returns a sentence for each thing in `received` that `listener` should not have seen */
  leaks(listener: Principal, received: unknown): string[] {
    const leaks: string[] = [];
    const tell = (what: string) => leaks.push(`${nameOf(listener)} received ${what}`);
    for (const [, businessId, userId] of JSON.stringify(received).matchAll(anyMark)) {
      const owner = { businessId: businessId!, userId: userId! };
      if (!mayHear(listener, owner)) tell(`words of ${nameOf(owner)}`);
    }
    walk(received, (key, value) => {
      const owners = typeof value === "string" ? (this.#owners.get(value) ?? []) : [];
      const [owner] = owners;
      if (owner !== undefined && !owners.some((each) => mayHear(listener, each)))
        tell(`${key} ${String(value)} of ${nameOf(owner)}`);
      if (key === "businessId" && value !== listener.businessId) tell(`the businessId ${String(value)}`);
      if (key === "userId" && listener.userId !== null && value !== listener.userId && !nobodies.has(value))
        tell(`the userId ${String(value)}`);
    });
    return leaks;
  }
}

function mayHear(listener: Principal, owner: Principal): boolean {
  if (listener.businessId !== owner.businessId) return false;
  return listener.userId === null || listener.userId === owner.userId;
}

function nameOf({ businessId, userId }: Principal): string {
  return userId === null ? `a coordinator of ${businessId}` : `${userId} of ${businessId}`;
}

function walk(value: unknown, visit: (key: string, value: unknown) => void, key = ""): void {
  visit(key, value);
  if (Array.isArray(value)) for (const item of value) walk(item, visit, key);
  else if (typeof value === "object" && value !== null)
    for (const [name, item] of Object.entries(value)) walk(item, visit, name);
}
