// @ts-check
/** Microphone, camera and level meter, with plain reasons when one cannot be had. No page elements in here. */

const SOUND = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };

/** @typedef {"refused" | "missing" | "busy" | "insecure"} Problem */

/**
 * Ask for one device. @param {"audio" | "video"} kind @param {string} [deviceId]
 * @returns {Promise<{track: MediaStreamTrack | null, problem: Problem | null}>}
 */
export async function open(kind, deviceId) {
  if (!navigator.mediaDevices) return { track: null, problem: "insecure" };
  const chosen = deviceId ? { deviceId: { exact: deviceId } } : {};
  const wanted = kind === "audio" ? { audio: { ...SOUND, ...chosen } } : { video: { width: 640, height: 480, ...chosen } };
  try {
    const stream = await navigator.mediaDevices.getUserMedia(wanted);
    return { track: stream.getTracks()[0] ?? null, problem: null };
  } catch (error) {
    const name = error instanceof DOMException ? error.name : "";
    if (name === "NotAllowedError" || name === "SecurityError") return { track: null, problem: "refused" };
    if (name === "NotFoundError" || name === "OverconstrainedError") return { track: null, problem: "missing" };
    return { track: null, problem: "busy" };
  }
}

/** All devices of a kind. @param {MediaDeviceKind} kind */
export async function list(kind) {
  const all = (await navigator.mediaDevices?.enumerateDevices().catch(() => [])) ?? [];
  return all.filter((device) => device.kind === kind && device.deviceId);
}

/** Call `show` with the level (0 to 1) of a track until the returned function is called. @param {MediaStreamTrack} track @param {(level: number) => void} show */
export function meter(track, show) {
  const context = new AudioContext();
  const analyser = new AnalyserNode(context, { fftSize: 1024 });
  context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    const energy = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
    // From -60 dBFS, a quiet room, to -10, a loud voice.
    show(Math.min(1, Math.max(0, (10 * Math.log10(energy + 1e-12) + 60) / 50)));
  }, 80);
  return () => {
    clearInterval(timer);
    void context.close();
    show(0);
  };
}
