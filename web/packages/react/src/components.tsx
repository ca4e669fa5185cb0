/** Components without a look of their own: every one takes `className`, and the states are data attributes. */

import { type Kind, KeyedPicture, Player, words } from "@visavis/client";
import { type ReactNode, useEffect, useRef, useState } from "react";

import { useCall } from "./call_provider";
import { useActivity, useDevices, useLatency, useTranscript } from "./hooks";

/** The replica, seen and heard. `transparent` takes the green screen out. */
export function Replica({ className, transparent = false }: { className?: string; transparent?: boolean }): ReactNode {
  const { call } = useCall();
  const doing = useActivity();
  const video = useRef<HTMLVideoElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [player, setPlayer] = useState<Player | null>(null);
  const [blocked, setBlocked] = useState(false);
  useEffect(() => {
    if (!call || !video.current) return;
    const playing = new Player(call, video.current);
    playing.on("blocked", setBlocked);
    setPlayer(playing);
    return () => playing.close();
  }, [call]);
  useEffect(() => {
    if (!transparent || !call || !video.current || !canvas.current) return;
    const keyed = new KeyedPicture(video.current, canvas.current);
    return () => keyed.close();
  }, [call, transparent]);
  const name = call?.conversation.persona.persona_name;
  const style = transparent ? { opacity: 0, position: "absolute", inlineSize: 1, blockSize: 1 } as const : undefined;
  return (
    <div className={className} data-doing={doing}>
      <video ref={video} autoPlay playsInline aria-label={name} style={style} />
      {transparent && <canvas key={call ? "call" : "none"} ref={canvas} role="img" aria-label={name} />}
      {blocked && (
        <button type="button" onClick={() => void player?.play()}>
          {words().tapToHear}
        </button>
      )}
    </div>
  );
}

/** What is being said. */
export function Captions({ className }: { className?: string }): ReactNode {
  const { live } = useTranscript();
  const role = live.user ? "user" : "replica";
  return live[role] ? (
    <p className={className} data-role={role} dir="auto">
      {live[role]}
    </p>
  ) : null;
}

/** A list of microphones or cameras. */
export function DeviceSelect({ kind, className }: { kind: Kind; className?: string }): ReactNode {
  const devices = useDevices();
  const used = devices.tracks[kind]?.getSettings().deviceId;
  return (
    <select
      className={className}
      aria-label={words()[kind]}
      value={used ?? ""}
      onChange={(event) => void devices.choose(kind, event.target.value)}
    >
      {devices[kind].map((device) => (
        <option key={device.deviceId} value={device.deviceId}>
          {device.label}
        </option>
      ))}
    </select>
  );
}

/** The person's own camera, mirrored. */
export function SelfView({ className }: { className?: string }): ReactNode {
  const { tracks } = useDevices();
  const video = useRef<HTMLVideoElement>(null);
  const { camera } = tracks;
  useEffect(() => {
    if (video.current) video.current.srcObject = camera && new MediaStream([camera]);
  }, [camera]);
  return (
    <video ref={video} className={className} autoPlay playsInline muted hidden={!camera} style={{ transform: "scaleX(-1)" }} />
  );
}

/** How soon the last answer came, in milliseconds. */
export function LatencyReadOut({ className }: { className?: string }): ReactNode {
  const last = useLatency().findLast((turn) => turn.utterance_to_utterance_ms !== null);
  return last ? <output className={className}>{Math.round(last.utterance_to_utterance_ms ?? 0)} ms</output> : null;
}
