import { describe, expect, test } from "@jest/globals";
import { printToken, type TokenRequest, TokenRequestError } from "../../server/commands/token.js";

const role = "--role is one of user, coordinator, agent, service";
const sub = "--sub is missing, or is not 1 to 128 of [A-Za-z0-9._@|+:-]";
const business = "--business is not 1 to 64 of [A-Za-z0-9._-]";
const noBusiness = "--business is missing; only the role service does without";
const expires = "--expires is a time such as 30m, 8h or 7d";
const forAna = { role: "user", sub: "ana", business: "B0100001" };
const noTimes = ["", "0h", "1", "h", "1.5h", "-1h", "1w", "1h30m", "1 h", "01h", "1234567s", "1e3s", "1h\n"];

describe("[X11] a token", () => {
  // How the command says it, and what it prints otherwise: test/cli/token.test.ts.
  test.each<[TokenRequest, string]>([
    [{}, role],
    [{ role: "admin", sub: "x" }, role],
    [{ role: "User", sub: "x" }, role],
    [{ role: "__proto__", sub: "x" }, role],
    [{ role: "user" }, sub],
    [{ role: "user", sub: "" }, sub],
    [{ role: "user", sub: "a b" }, sub],
    [{ role: "user", sub: "a" }, noBusiness],
    [{ role: "agent", sub: "a" }, noBusiness],
    [{ role: "service", sub: "a", business: "" }, business],
    [{ role: "user", sub: "a", business: "a:b" }, business],
    ...noTimes.map((time): [TokenRequest, string] => [{ ...forAna, expires: time }, expires]),
  ])("for %j is refused, before any setting is read", async (request, reason) => {
    await expect(printToken(request)).rejects.toThrow(new TokenRequestError(reason));
  });
});
