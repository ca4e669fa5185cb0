/** Microphones, cameras, speakers and screens: opening them, and what stands in the way when that fails. */

import { DeviceError, type Kind, type Problem } from "./errors";

export interface Opened {
  tracks: Partial<Record<Kind, MediaStreamTrack>>;
  problems: Partial<Record<Kind, Problem>>;
}

const SOUND = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
const PICTURE = { width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 24 } };
const SCREEN = { width: { max: 1920 }, height: { max: 1080 }, frameRate: { max: 5 } };

const PROBLEMS: Record<string, Problem> = {
  NotAllowedError: "refused",
  SecurityError: "refused",
  NotFoundError: "missing",
  OverconstrainedError: "missing",
  NotReadableError: "in-use",
  AbortError: "in-use",
};

/**
 * Open devices, asking the person once where the browser can; one failing does not keep the other away.
 *
 * @param chosen device ids; a device that is gone is replaced by the usual one
 */
export async function openDevices(kinds: Kind[], chosen: Partial<Record<Kind, string>> = {}): Promise<Opened> {
  if (!navigator.mediaDevices?.getUserMedia) return failed(kinds, "insecure");
  try {
    const stream = await navigator.mediaDevices.getUserMedia({
      audio: kinds.includes("microphone") && { ...SOUND, ...exactly(chosen.microphone) },
      video: kinds.includes("camera") && { ...PICTURE, ...exactly(chosen.camera, { facingMode: "user" }) },
    });
    const [microphone, camera] = [stream.getAudioTracks()[0], stream.getVideoTracks()[0]];
    return { tracks: { ...(microphone && { microphone }), ...(camera && { camera }) }, problems: {} };
  } catch (error) {
    const name = error instanceof Error ? error.name : "";
    if (name === "OverconstrainedError" && Object.keys(chosen).length) return openDevices(kinds);
    const problem = PROBLEMS[name] ?? "in-use";
    if (kinds.length === 1) return failed(kinds, problem);
    const opened = await Promise.all(kinds.map((kind) => openAlone(kind, problem, chosen)));
    return {
      tracks: Object.assign({}, ...opened.map((one) => one.tracks)),
      problems: Object.assign({}, ...opened.map((one) => one.problems)),
    };
  }
}

/**
 * Open one device.
 *
 * @throws DeviceError
 */
export async function openDevice(kind: Kind, deviceId?: string): Promise<MediaStreamTrack> {
  const { tracks, problems } = await openDevices([kind], deviceId ? { [kind]: deviceId } : {});
  const track = tracks[kind];
  if (!track) throw new DeviceError(kind, problems[kind] ?? "missing");
  return track;
}

/** @throws DeviceError */
export async function openScreen(): Promise<MediaStreamTrack> {
  if (!canShareScreen()) throw new DeviceError("screen", "insecure");
  try {
    const stream = await navigator.mediaDevices.getDisplayMedia({ video: SCREEN, audio: false });
    const track = stream.getVideoTracks()[0];
    if (!track) throw new DeviceError("screen", "missing");
    track.contentHint = "detail";
    return track;
  } catch (error) {
    throw new DeviceError("screen", PROBLEMS[error instanceof Error ? error.name : ""] ?? "in-use");
  }
}

/** Whether this browser can; phones cannot. */
export function canShareScreen(): boolean {
  return typeof navigator.mediaDevices?.getDisplayMedia === "function";
}

/** After both together failed. Who has just refused is not asked again. */
async function openAlone(kind: Kind, problem: Problem, chosen: Partial<Record<Kind, string>>): Promise<Opened> {
  if (problem === "refused" && (await permission(kind))?.state !== "granted") return failed([kind], problem);
  return openDevices([kind], chosen);
}

function failed(kinds: Kind[], problem: Problem): Opened {
  return { tracks: {}, problems: Object.fromEntries(kinds.map((kind) => [kind, problem])) };
}

function exactly(deviceId: string | undefined, otherwise: MediaTrackConstraints = {}): MediaTrackConstraints {
  return deviceId ? { deviceId: { exact: deviceId } } : otherwise;
}

/** The browser's record of what was allowed; null where it keeps none that pages may read. */
export async function permission(kind: Kind): Promise<PermissionStatus | null> {
  try {
    return await navigator.permissions.query({ name: kind as PermissionName });
  } catch {
    return null;
  }
}

export interface Devices {
  microphone: MediaDeviceInfo[];
  camera: MediaDeviceInfo[];
  speaker: MediaDeviceInfo[];
}

/** Devices that can be chosen; browsers name them only after one was allowed. */
export async function listDevices(): Promise<Devices> {
  const all = (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
  const named = all.filter((device) => device.deviceId && device.label);
  return {
    microphone: named.filter((device) => device.kind === "audioinput"),
    camera: named.filter((device) => device.kind === "videoinput"),
    speaker: "setSinkId" in HTMLMediaElement.prototype ? named.filter((device) => device.kind === "audiooutput") : [],
  };
}
