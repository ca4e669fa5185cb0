/** @jsxImportSource preact */
/** A window over the screen: the browser's own dialog, which keeps the focus inside and closes with Escape. */

import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";

import { Button, IconButton } from "./basics";

interface DialogProps {
  title: string;
  close: () => void;
  children: ComponentChildren;
  wide?: boolean;
}

export function Dialog({ title, close, children, wide }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    element.current?.showModal();
  }, []);
  return (
    <dialog
      ref={element}
      class={wide ? "wide" : ""}
      aria-labelledby={id}
      onClose={close}
      onClick={(event) => event.target === element.current && close()}
    >
      <div class="dialog-sheet">
        <header>
          <h2 id={id}>{title}</h2>
          <IconButton icon="close" label="Close" onClick={close} />
        </header>
        {children}
      </div>
    </dialog>
  );
}

interface ConfirmProps {
  title: string;
  children: ComponentChildren;
  yes: string;
  act: () => Promise<void>;
  close: () => void;
}

/** Asks before something that cannot be taken back. */
export function Confirm({ title, children, yes, act, close }: ConfirmProps) {
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const go = () => {
    setBusy(true);
    act().then(close, (failed: Error) => {
      setBusy(false);
      setError(failed.message);
    });
  };
  return (
    <Dialog title={title} close={close}>
      {children}
      {error && <p class="error" role="alert">{error}</p>}
      <div class="actions end">
        <Button onClick={close}>Cancel</Button>
        <Button kind="danger" disabled={busy} onClick={go}>
          {yes}
        </Button>
      </div>
    </Dialog>
  );
}
