/** One call for all components below it. Owner of the call and of the person's devices. */

import { type Call, CallError, join, OwnMedia, type State } from "@visavis/client";
import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useRef, useState } from "react";

export interface CallContext {
  /** Null before `join` and after the call. */
  call: Call | null;
  state: State | "idle";
  /** Why there is no call, or why it ended. */
  error: CallError | null;
  endReason: string | null;
  /** The person's microphone and camera; opened by `join` unless they are already. */
  own: OwnMedia;
  join: () => Promise<void>;
  leave: () => Promise<void>;
}

const Context = createContext<CallContext | null>(null);

/**
 * @param url the conversation's link
 * @param devices which of the person's devices to ask for
 */
export function CallProvider({
  url,
  devices = true,
  children,
}: {
  url: string;
  devices?: boolean;
  children: ReactNode;
}): ReactNode {
  const [call, setCall] = useState<Call | null>(null);
  const [state, setState] = useState<CallContext["state"]>("idle");
  const [error, setError] = useState<CallError | null>(null);
  const [endReason, setEndReason] = useState<string | null>(null);
  const [own, setOwn] = useState(() => new OwnMedia());
  const live = useRef<Call | null>(null);

  const start = useCallback(async () => {
    setError(null);
    setState("connecting");
    try {
      if (devices && !own.tracks.microphone && !own.tracks.camera) await own.start();
      const { microphone, camera } = own.tracks;
      const joined = await join(url, { microphone, camera });
      live.current = joined;
      joined.on("state", (now) => {
        setState(now);
        if (now !== "ended") return;
        setEndReason(joined.endReason);
        setCall(null);
        // Devices that were given back cannot be used again.
        own.close();
        setOwn(new OwnMedia());
      });
      setCall(joined);
      setState(joined.state);
    } catch (problem) {
      setError(problem instanceof CallError ? problem : new CallError("refused", String(problem)));
      setState("idle");
    }
  }, [url, devices, own]);

  const leave = useCallback(async () => live.current?.leave(), []);
  useEffect(() => () => live.current?.abandon(), []);
  useEffect(() => {
    if (!call) return;
    return own.on("change", () => {
      if (own.asking) return;
      void call.setMicrophone(own.tracks.microphone);
      void call.setCamera(own.tracks.camera);
    });
  }, [call, own]);

  const value = useMemo(
    () => ({ call, state, error, endReason, own, join: start, leave }),
    [call, state, error, endReason, own, start, leave],
  );
  return <Context.Provider value={value}>{children}</Context.Provider>;
}

/** @throws Error outside of a `CallProvider` */
export function useCall(): CallContext {
  const context = useContext(Context);
  if (!context) throw new Error("useCall: there is no <CallProvider url=…> around this component");
  return context;
}
