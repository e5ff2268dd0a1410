import { useCallback, useEffect, useState } from "preact/hooks";
import { ChatError } from "../chat-error.js";
import { retryDelayMs } from "../limits.js";
import { Api } from "./api.js";
import { Desk } from "./desk.js";
import { Drafts } from "./drafts.js";
import { businessOf, claimsOf, forgetToken, isToken, storedToken, storeToken } from "./identity.js";
import type { Labels } from "./labels.js";
import { SignIn, type SignInReason } from "./sign-in.js";
import { Workspace } from "./workspace.js";

type Gate =
  | { readonly state: "entering" }
  | { readonly state: "asking"; readonly reason: SignInReason }
  | { readonly state: "inside"; readonly desk: Desk; readonly drafts: Drafts };

/** The way in: with the token of this tab, with one that is asked for, or on an open server without. */
export function App({ labels }: { readonly labels: Labels }) {
  const [gate, setGate] = useState<Gate>({ state: "entering" });
  const ask = useCallback((reason: SignInReason) => {
    forgetToken();
    setGate({ state: "asking", reason });
  }, []);

  const enter = useCallback(
    async (tries = 1): Promise<void> => {
      const token = storedToken();
      const api = new Api(businessOf(location.search, token), token);
      try {
        await api.enter();
        const { sub } = claimsOf(token);
        const desk = new Desk({ api, token, self: sub, onUnauthorized: () => ask("ended") });
        setGate({ state: "inside", desk, drafts: new Drafts(api.businessId, sub) });
      } catch (cause) {
        const code = cause instanceof ChatError ? cause.code : "unknown";
        if (code === "unauthorized") return ask(token === null ? "none" : "refused");
        if (code === "not_found") return ask("forbidden");
        setTimeout(() => void enter(tries + 1), retryDelayMs(tries));
      }
    },
    [ask],
  );
  useEffect(() => void enter(), [enter]);
  const desk = gate.state === "inside" ? gate.desk : null;
  useEffect(() => {
    desk?.start();
    return () => desk?.stop();
  }, [desk]);

  switch (gate.state) {
    case "entering":
      return <p class="centre quiet">{labels.starting}</p>;
    case "asking":
      return <SignIn labels={labels} reason={gate.reason} onToken={signedIn} />;
    case "inside":
      return <Workspace desk={gate.desk} drafts={gate.drafts} labels={labels} onSignIn={() => ask("ended")} />;
  }

  function signedIn(token: string): void {
    if (!isToken(token)) return ask("refused");
    storeToken(token);
    setGate({ state: "entering" });
    void enter();
  }
}
