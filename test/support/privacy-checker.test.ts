import { describe, expect, test } from "@jest/globals";
import { type Principal, PrivacyChecker } from "./privacy-checker.js";

const user: Principal = { businessId: "B1", userId: "u" };
const console: Principal = { businessId: "B1", userId: null };
const others: Principal[] = [
  { businessId: "B1", userId: "u1" },
  { businessId: "B1", userId: "u:1" },
  { businessId: "B1", userId: "U" },
  { businessId: "B2", userId: "u" },
  { businessId: "B1x", userId: "u" },
];

describe("[I-5] the checker of privacy", () => {
  test("has nothing to say of what somebody may hear", () => {
    const checker = new PrivacyChecker();
    checker.own(user, "s1", "m1", undefined, null);
    const frame = [null, null, "messages:B1", "new_message", { sessionId: "s1", message: checker.text(user, "hello") }];
    const row = { businessId: "B1", userId: "agent", messageId: "m1", metadata: { inReplyTo: "m1" } };
    for (const listener of [user, console]) expect(checker.leaks(listener, [frame, row])).toEqual([]);
  });

  test.each(others)("finds words of $userId of $businessId wherever they are", (owner) => {
    const checker = new PrivacyChecker();
    const text = checker.text(owner, "hello");
    for (const frame of [text, { message: `said: ${text}` }, [{ metadata: { sources: [text] } }], { [text]: 1 }]) {
      expect(checker.leaks(user, frame)).toEqual([`u of B1 received words of ${owner.userId} of ${owner.businessId}`]);
    }
  });

  test.each(others)("finds an id of $userId of $businessId under any name", (owner) => {
    const checker = new PrivacyChecker();
    checker.own(owner, "s2");
    expect(checker.leaks(user, { anything: [{ at: "s2" }] })).toEqual([
      `u of B1 received at s2 of ${owner.userId} of ${owner.businessId}`,
    ]);
  });

  test("lets both owners of a shared id hear of it, and nobody else", () => {
    const checker = new PrivacyChecker();
    checker.own(user, "connection");
    checker.own(others[0]!, "connection");
    expect([user, others[0]!].map((listener) => checker.leaks(listener, ["connection"]))).toEqual([[], []]);
    expect(checker.leaks(others[1]!, ["connection"])).toHaveLength(1);
  });

  test("finds the name of another user or business, also where nothing else tells", () => {
    const checker = new PrivacyChecker();
    expect(checker.leaks(user, { userId: "u1" })).toEqual(["u of B1 received the userId u1"]);
    expect(checker.leaks(user, { businessId: "B2" })).toEqual(["u of B1 received the businessId B2"]);
    expect(checker.leaks(console, { businessId: "B2" })).toEqual(["a coordinator of B1 received the businessId B2"]);
  });

  test("lets a coordinator hear every user of the business, and nobody of another", () => {
    const checker = new PrivacyChecker();
    const heard = others.flatMap((owner) => checker.leaks(console, { message: checker.text(owner, "hello") }));
    expect(heard).toEqual([
      "a coordinator of B1 received words of u of B2",
      "a coordinator of B1 received words of u of B1x",
    ]);
  });
});
