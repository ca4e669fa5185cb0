/** @jsxImportSource preact */
/** A word at the edge of the screen that something was done. */

import { useEffect, useState } from "preact/hooks";

const SHOWN_MS = 3_500;
let tell: (text: string) => void = () => undefined;

export function say(text: string): void {
  tell(text);
}

export function Toasts() {
  const [text, setText] = useState("");
  useEffect(() => {
    let timer = 0;
    tell = (given) => {
      setText(given);
      clearTimeout(timer);
      timer = window.setTimeout(() => setText(""), SHOWN_MS);
    };
    return () => clearTimeout(timer);
  }, []);
  return (
    <div class="toasts" role="status">
      {text && <p>{text}</p>}
    </div>
  );
}
