import { CallProvider, Captions, DeviceSelect, LatencyReadOut, Replica, SelfView, useActivity, useCall, useTranscript } from "@visavis/react";
import { createRoot } from "react-dom/client";

const link = new URLSearchParams(location.search).get("call") ?? "";

function Page() {
  const { state, error, endReason, join, leave } = useCall();
  const { lines } = useTranscript();
  const doing = useActivity();
  return (
    <>
      <Replica />
      <SelfView className="own" />
      <Captions className="captions" />
      <DeviceSelect kind="microphone" />
      <LatencyReadOut />
      <p id="state">{[state, doing, error?.reason, endReason].filter(Boolean).join(" ")}</p>
      <ol>
        {lines.map((line) => (
          <li key={line.at.getTime() + line.speech}>{`${line.role}: ${line.speech}`}</li>
        ))}
      </ol>
      <button onClick={() => void join()}>Join</button>
      <button onClick={() => void leave()}>Leave</button>
    </>
  );
}

createRoot(document.getElementById("app") as HTMLElement).render(
  <CallProvider url={link}>
    <Page />
  </CallProvider>,
);
