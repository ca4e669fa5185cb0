/** What happens in the call, as state of React. All need a `CallProvider` around them. */

import {
  Activity,
  type CallEvents,
  type Devices,
  type Doing,
  type Kind,
  type Latency,
  type Line,
  listDevices,
  type NetworkQuality,
  type Problem,
  type Role,
  Transcript,
} from "@visavis/client";
import { useEffect, useReducer, useRef, useState } from "react";

import { useCall } from "./call_provider";

/** Call `listener` at each event of the call, such as `conversation.utterance`. */
export function useCallEvent<Name extends keyof CallEvents>(name: Name, listener: (event: CallEvents[Name]) => void): void {
  const { call } = useCall();
  const latest = useRef(listener);
  latest.current = listener;
  useEffect(() => call?.on(name, (event) => latest.current(event)), [call, name]);
}

/** What the replica is doing. */
export function useActivity(): Doing {
  const { call } = useCall();
  const [doing, setDoing] = useState<Doing>("connecting");
  useEffect(() => {
    if (!call) return;
    const over = new AbortController();
    const activity = new Activity();
    activity.on("change", setDoing);
    activity.watch(call, over.signal);
    return () => over.abort();
  }, [call]);
  return doing;
}

export interface Said {
  lines: readonly Line[];
  /** Words of turns that are not over. */
  live: Readonly<Record<Role, string>>;
}

/** What was said. Stays after the call, until the next one. */
export function useTranscript(): Said {
  const { call } = useCall();
  const [said, setSaid] = useState<Said>({ lines: [], live: { user: "", replica: "" } });
  useEffect(() => {
    if (!call) return;
    const transcript = new Transcript();
    const draw = () => setSaid({ lines: [...transcript.lines], live: { ...transcript.live } });
    transcript.on("line", draw);
    transcript.on("live", draw);
    draw();
    const off = call.on("message", (message) => transcript.follow(message));
    return () => {
      off();
      transcript.finish();
    };
  }, [call]);
  return said;
}

export function useNetwork(): NetworkQuality | null {
  const [network, setNetwork] = useState<NetworkQuality | null>(null);
  useCallEvent("network", setNetwork);
  return network;
}

/** The turns that were answered, oldest first. */
export function useLatency(): readonly Latency[] {
  const [turns, setTurns] = useState<readonly Latency[]>([]);
  useCallEvent("conversation.latency", ({ properties }) => setTurns((before) => [...before, properties]));
  return turns;
}

export interface OwnDevices extends Devices {
  tracks: Readonly<Record<Kind, MediaStreamTrack | null>>;
  problems: Readonly<Partial<Record<Kind, Problem>>>;
  muted: boolean;
  toggleMicrophone: () => Promise<void>;
  toggleCamera: () => Promise<void>;
  choose: (kind: Kind, deviceId: string) => Promise<void>;
}

/** The person's devices: what there is, what is used, what is wrong. */
export function useDevices(): OwnDevices {
  const { own } = useCall();
  const [devices, setDevices] = useState<Devices>({ microphone: [], camera: [], speaker: [] });
  const [, draw] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    const refresh = () => void listDevices().then(setDevices);
    refresh();
    navigator.mediaDevices?.addEventListener?.("devicechange", refresh);
    const off = own.on("change", () => {
      draw();
      refresh();
    });
    return () => {
      off();
      navigator.mediaDevices?.removeEventListener?.("devicechange", refresh);
    };
  }, [own]);
  return {
    ...devices,
    tracks: own.tracks,
    problems: own.problems,
    muted: own.muted,
    toggleMicrophone: () => own.toggleMicrophone(),
    toggleCamera: () => own.toggleCamera(),
    choose: (kind, deviceId) => own.choose(kind, deviceId),
  };
}
