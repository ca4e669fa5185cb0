/** @jsxImportSource preact */
/** Where a server asks for an API key. */

import { useState } from "preact/hooks";

import { ApiError, forgetKey, useKey as keep } from "../api/http";
import { Button } from "../parts/basics";

export function SignIn({ enter, problem }: { enter: () => Promise<void>; problem: string }) {
  const [key, setKey] = useState("");
  const [stay, setStay] = useState(false);
  const [error, setError] = useState(problem);
  const submit = async (event: Event) => {
    event.preventDefault();
    if (!key.trim()) return setError("Paste your API key here.");
    keep(key.trim(), stay);
    try {
      await enter();
    } catch (failed) {
      forgetKey();
      setError(failed instanceof ApiError && failed.status === 401 ? "This key is not valid here. Is it complete, and of this server?" : (failed as Error).message);
    }
  };
  return (
    <main class="sign-in">
      <form class="sheet" onSubmit={submit}>
        <span class="mark" aria-hidden="true" />
        <h1>visavis Studio</h1>
        <p class="quiet">Sign in with an API key of this server.</p>
        <div class="field">
          <label for="key">API key</label>
          <input id="key" type="password" autoComplete="current-password" autoFocus placeholder="vv_…" value={key} aria-invalid={error ? true : undefined} aria-describedby="key-said" onInput={(event) => { setKey(event.currentTarget.value); setError(""); }} />
          <p id="key-said" class="error" role="alert">{error}</p>
        </div>
        <label class="check">
          <input type="checkbox" checked={stay} onChange={(event) => setStay(event.currentTarget.checked)} />
          <span>Stay signed in on this device</span>
        </label>
        <Button kind="main" type="submit">Sign in</Button>
        <details class="more small">
          <summary>Where do I find a key?</summary>
          <p>The server printed one when it was started for the first time. <code>visavis keys create NAME</code> makes another, and <code>visavis serve --dev</code> asks for none on your own machine.</p>
        </details>
      </form>
    </main>
  );
}
