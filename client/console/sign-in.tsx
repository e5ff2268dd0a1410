import { useLayoutEffect, useRef } from "preact/hooks";
import type { Labels } from "./labels.js";

/** Why a token is asked for. `none`: there is none yet. */
export type SignInReason = "none" | "refused" | "forbidden" | "ended";

interface SignInProps {
  readonly labels: Labels;
  readonly reason: SignInReason;
  readonly onToken: (token: string) => void;
}

export function SignIn({ labels: { signIn, title }, reason, onToken }: SignInProps) {
  const input = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => input.current?.focus(), []);
  const submit = (event: Event) => {
    event.preventDefault();
    const field = input.current!;
    const token = field.value.trim();
    field.value = "";
    field.focus();
    if (token !== "") onToken(token);
  };
  return (
    <main class="sign-in">
      <form class="card" onSubmit={submit}>
        <img src="/icon.svg" alt="" width="36" height="36" />
        <h1>{`${title} · ${signIn.title}`}</h1>
        <p class="quiet">{signIn.text}</p>
        {reason !== "none" && (
          <p class="failure" role="alert">
            {signIn[reason]}
          </p>
        )}
        <label for="token">{signIn.token}</label>
        <input id="token" ref={input} type="password" autocomplete="off" spellcheck={false} required />
        <button class="primary" type="submit">
          {signIn.go}
        </button>
      </form>
    </main>
  );
}
