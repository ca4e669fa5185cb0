import { useState } from "react";
import { createRoot } from "react-dom/client";

import { Conversation } from "./cvi/components/conversation-01";
import { CVIProvider } from "./cvi/components/cvi-provider";

const link = new URLSearchParams(location.search).get("call") ?? "";

/** As in the maker's examples: the call begins after a press. */
function App() {
  const [stage, setStage] = useState<"before" | "call" | "after">("before");
  if (stage === "call") return <Conversation conversationUrl={link} onLeave={() => setStage("after")} />;
  return stage === "after" ? <h1>Left</h1> : <button onClick={() => setStage("call")}>Start</button>;
}

createRoot(document.getElementById("app") as HTMLElement).render(
  <CVIProvider>
    <App />
  </CVIProvider>,
);
