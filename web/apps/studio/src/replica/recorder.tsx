/** @jsxImportSource preact */
/** Records a person with the browser's camera while they read from a teleprompter. */

import { useEffect, useMemo, useRef, useState } from "preact/hooks";

import { clock } from "../format";
import { Button, Notice } from "../parts/basics";
import { Icon, type IconName } from "../parts/icon";
import { useChecks, type Check } from "./checks";
import { passages, type Passage } from "./script";

const SHORTEST_S = 60;
const BITS_A_SECOND = 5_000_000;
const KINDS = ["video/webm;codecs=vp9,opus", "video/webm;codecs=vp8,opus", "video/mp4", "video/webm"];
const COUNTDOWN_S = 3;

interface RecorderProps {
  name: string;
  recorded: (film: Blob | null) => void;
}

export function Recorder({ name, recorded }: RecorderProps) {
  const [stream, setStream] = useState<MediaStream | null>(null);
  const [problem, setProblem] = useState("");
  const [film, setFilm] = useState<Blob | null>(null);
  const keep = (given: Blob | null) => {
    setFilm(given);
    recorded(given);
  };
  useEffect(() => () => stream?.getTracks().forEach((track) => track.stop()), [stream]);
  const open = async () => {
    try {
      setProblem("");
      setStream(
        await navigator.mediaDevices.getUserMedia({
          video: { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } },
          audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
        }),
      );
    } catch (error) {
      setProblem(refused(error as DOMException));
    }
  };
  if (film) return <Recorded film={film} again={() => keep(null)} />;
  if (!stream)
    return (
      <div class="camera-off">
        <Icon name="record" size={40} />
        <p>Sit where light comes from the front, with the camera at the height of your eyes.</p>
        {problem && <Notice kind="bad"><p>{problem}</p></Notice>}
        <Button kind="main" onClick={open}>Turn on camera and microphone</Button>
      </div>
    );
  return <Studio stream={stream} name={name} recorded={keep} />;
}

function refused(error: DOMException): string {
  if (error.name === "NotAllowedError") return "The browser was not allowed to use the camera. Allow it beside the address bar, then try again.";
  if (error.name === "NotFoundError") return "There is no camera or no microphone. Connect one, or upload a video instead.";
  return `The camera could not be opened: ${error.message}`;
}

function Studio({ stream, name, recorded }: { stream: MediaStream; name: string; recorded: (film: Blob) => void }) {
  const video = useRef<HTMLVideoElement>(null);
  const checks = useChecks(stream, () => video.current);
  const recording = useRecording(stream, recorded);
  const script = useMemo(() => passages(name), [name]);
  const { passage, next } = useTeleprompter(script, recording.state === "running");
  useEffect(() => {
    if (video.current) video.current.srcObject = stream;
  }, [stream]);
  const done = passage === script.length;
  return (
    <div class="recorder">
      <div class="stage">
        <video ref={video} autoPlay playsInline muted aria-label="Your camera" />
        <svg class="guide" viewBox="0 0 100 100" preserveAspectRatio="xMidYMid meet" aria-hidden="true"><ellipse cx="50" cy="44" rx="19" ry="26" /><path d="M18 100c2-18 16-25 32-25s30 7 32 25" /></svg>
        {recording.state === "counting" && <p class="countdown" role="status">{recording.left}</p>}
        {recording.state === "running" && <span class="running"><i />{clock(recording.seconds)}</span>}
        <Prompt script={script} at={recording.state === "running" ? passage : 0} />
      </div>
      <ul class="checks" aria-live="polite">
        <Checked icon="light" label="Light" check={checks.light} />
        <Checked icon="frame" label="Framing" check={checks.framing} />
        <Checked icon="sound" label="Sound" check={checks.sound} level={checks.level} />
      </ul>
      <div class="actions">
        {recording.state === "ready" && <Button kind="main" icon="record" onClick={recording.start}>Start recording</Button>}
        {recording.state === "running" && (
          <>
            <Button kind="main" disabled={recording.seconds < SHORTEST_S && !done} onClick={recording.stop}>Finish</Button>
            <Button onClick={next} disabled={done}>Next text</Button>
            <span class="quiet small">{recording.seconds < SHORTEST_S ? `at least ${clock(SHORTEST_S)}` : "Longer is better: up to 5 minutes"}</span>
          </>
        )}
      </div>
    </div>
  );
}

function Prompt({ script, at }: { script: Passage[]; at: number }) {
  const now = script[at];
  const after = script[at + 1];
  return (
    <div class="prompter" role="status">
      {now ? <p class={now.cue ? "cue" : ""}>{now.cue ?? now.text}</p> : <p class="cue">That is all. Go on freely, or finish.</p>}
      {after && <p class="after" aria-hidden="true">{after.cue ?? after.text}</p>}
    </div>
  );
}

function Checked({ icon, label, check, level }: { icon: IconName; label: string; check: Check; level?: number }) {
  return (
    <li class={`check-card ${check.verdict}`}>
      <Icon name={icon} />
      <span><b>{label}</b><span>{check.text}</span>{level !== undefined && <span class="meter" aria-hidden="true"><i style={{ inlineSize: `${level * 100}%` }} /></span>}</span>
    </li>
  );
}

function useTeleprompter(script: Passage[], running: boolean): { passage: number; next: () => void } {
  const [passage, setPassage] = useState(0);
  const next = () => setPassage((before) => Math.min(before + 1, script.length));
  useEffect(() => {
    const now = script[passage];
    if (!running || !now) return undefined;
    const timer = setTimeout(next, now.seconds * 1000);
    return () => clearTimeout(timer);
  }, [running, passage]);
  return { passage, next };
}

type Recording =
  | { state: "ready"; start: () => void }
  | { state: "counting"; left: number }
  | { state: "running"; seconds: number; stop: () => void };

function useRecording(stream: MediaStream, recorded: (film: Blob) => void): Recording {
  const recorder = useRef<MediaRecorder | null>(null);
  const [left, setLeft] = useState<number | null>(null);
  const [began, setBegan] = useState<number | null>(null);
  const [, tick] = useState(0);
  useEffect(() => {
    if (left === null) return undefined;
    const timer = setTimeout(() => (left > 1 ? setLeft(left - 1) : begin()), 1000);
    return () => clearTimeout(timer);
  }, [left]);
  useEffect(() => {
    if (began === null) return undefined;
    const timer = setInterval(() => tick((round) => round + 1), 250);
    return () => clearInterval(timer);
  }, [began]);
  useEffect(() => () => {
    if (recorder.current) recorder.current.onstop = null;
  }, []);
  const begin = () => {
    const mimeType = KINDS.find((kind) => MediaRecorder.isTypeSupported(kind)) ?? "";
    const made = new MediaRecorder(stream, { mimeType, videoBitsPerSecond: BITS_A_SECOND });
    const pieces: Blob[] = [];
    made.ondataavailable = (event) => pieces.push(event.data);
    made.onstop = () => recorded(new Blob(pieces, { type: made.mimeType }));
    made.start(1000);
    recorder.current = made;
    setLeft(null);
    setBegan(performance.now());
  };
  if (left !== null) return { state: "counting", left };
  if (began !== null) return { state: "running", seconds: (performance.now() - began) / 1000, stop: () => recorder.current?.stop() };
  return { state: "ready", start: () => setLeft(COUNTDOWN_S) };
}

function Recorded({ film, again }: { film: Blob; again: () => void }) {
  const url = useMemo(() => URL.createObjectURL(film), [film]);
  useEffect(() => () => URL.revokeObjectURL(url), [url]);
  return (
    <div class="recorder">
      <div class="stage"><video src={url} controls playsInline aria-label="Your recording" /></div>
      <div class="actions"><Button icon="again" onClick={again}>Record again</Button><span class="quiet small">{(film.size / 2 ** 20).toFixed(0)} MiB</span></div>
    </div>
  );
}
