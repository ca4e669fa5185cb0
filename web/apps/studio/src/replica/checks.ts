/** Live checks before and during a recording: the server looks at pictures of the camera, the page listens. */

import { useEffect, useState } from "preact/hooks";

import { post } from "../api/http";
import type { CheckedPicture, Remark } from "../api/types";

export type Verdict = "good" | "fair" | "bad" | "unknown";

export interface Check {
  verdict: Verdict;
  text: string;
}

export interface Checks {
  light: Check;
  framing: Check;
  sound: Check;
  /** Loudness, 0 to 1. */
  level: number;
}

const LOOK_EVERY_MS = 1_000;
const LISTEN_EVERY_MS = 100;
const PICTURE_WIDTH = 640;
const CLIPPED = 0.98;
const [FAINT_DB, LOUD_DB] = [-45, -12];
const HEARD_FOR_MS = 6_000;
const LOOKING: Check = { verdict: "unknown", text: "Looking…" };

export function useChecks(stream: MediaStream | null, video: () => HTMLVideoElement | null): Checks {
  const [seen, setSeen] = useState<Pick<Checks, "light" | "framing">>({ light: LOOKING, framing: LOOKING });
  const [heard, setHeard] = useState<Pick<Checks, "sound" | "level">>({ sound: { verdict: "unknown", text: "Say something" }, level: 0 });
  useEffect(() => (stream ? look(video, setSeen) : undefined), [stream]);
  useEffect(() => (stream ? listen(stream, setHeard) : undefined), [stream]);
  return { ...seen, ...heard };
}

function look(video: () => HTMLVideoElement | null, tell: (seen: Pick<Checks, "light" | "framing">) => void): () => void {
  const over = new AbortController();
  const canvas = document.createElement("canvas");
  const round = async () => {
    const from = video();
    if (from?.videoWidth) {
      canvas.width = PICTURE_WIDTH;
      canvas.height = Math.round((PICTURE_WIDTH * from.videoHeight) / from.videoWidth);
      canvas.getContext("2d")?.drawImage(from, 0, 0, canvas.width, canvas.height);
      const picture = await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/jpeg", 0.85));
      try {
        if (picture) tell(judged(await post<CheckedPicture>("replicas/picture-check", picture, over.signal)));
      } catch {
        if (over.signal.aborted) return;
        tell({ light: { verdict: "unknown", text: "Cannot be checked" }, framing: { verdict: "unknown", text: "Cannot be checked" } });
      }
    }
    if (!over.signal.aborted) setTimeout(round, LOOK_EVERY_MS);
  };
  void round();
  return () => over.abort();
}

/** Sizes are those of a picture of 640 pixels, and so smaller than in the recording: that remark is read anew. */
export function judged({ remarks, faces, box }: CheckedPicture): Pick<Checks, "light" | "framing"> {
  const light = remarks.find((one) => one.about === "light");
  const framing = remarks.find((one) => one.about !== "light");
  return {
    light: faces === 0 ? { verdict: "unknown", text: "No face seen" } : light ? check(light, "More light from the front") : { verdict: "good", text: "Good light" },
    framing: framing ? check(framing, SHORT[framing.about]) : { verdict: "good", text: box ? "Good framing" : "Looking…" },
  };
}

const SHORT: Record<Remark["about"], string> = {
  person: "One person, looking at the camera",
  size: "Come closer",
  place: "Move to the middle, head in full view",
  angle: "Look straight into the camera",
  light: "More light from the front",
};

function check(remark: Remark, text: string): Check {
  return { verdict: remark.must ? "bad" : "fair", text };
}

function listen(stream: MediaStream, tell: (heard: Pick<Checks, "sound" | "level">) => void): () => void {
  if (stream.getAudioTracks().length === 0) {
    tell({ sound: { verdict: "bad", text: "No microphone" }, level: 0 });
    return () => undefined;
  }
  const context = new AudioContext();
  const analyser = new AnalyserNode(context, { fftSize: 4096 });
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  let [loudest, at] = [-120, 0];
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    const power = samples.reduce((sum, one) => sum + one * one, 0) / samples.length;
    const peak = samples.reduce((most, one) => Math.max(most, Math.abs(one)), 0);
    const db = 10 * Math.log10(power + 1e-12);
    const now = performance.now();
    if (db >= loudest || now - at > HEARD_FOR_MS) [loudest, at] = [db, now];
    tell({ sound: soundOf(loudest, peak), level: Math.min(1, Math.max(0, (db + 60) / 60)) });
  }, LISTEN_EVERY_MS);
  return () => {
    clearInterval(timer);
    void context.close();
  };
}

export function soundOf(loudestDb: number, peak: number): Check {
  if (peak >= CLIPPED) return { verdict: "bad", text: "Too loud: move away from the microphone" };
  if (loudestDb < FAINT_DB) return { verdict: "fair", text: "Say something; come closer if this stays" };
  if (loudestDb > LOUD_DB) return { verdict: "fair", text: "Rather loud" };
  return { verdict: "good", text: "Good sound" };
}
