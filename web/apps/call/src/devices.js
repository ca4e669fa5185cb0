// @ts-check
/** Microphones, cameras and speakers: opening them, and what stands in the way when that fails. */

/** @typedef {"microphone" | "camera"} Kind */
/**
 * `refused`: by the person or the browser; `missing`: there is none; `in-use`: another program has it or it failed;
 * `insecure`: the browser gives devices to https pages only.
 * @typedef {"refused" | "missing" | "in-use" | "insecure"} Problem
 */
/** @typedef {{tracks: Partial<Record<Kind, MediaStreamTrack>>, problems: Partial<Record<Kind, Problem>>}} Opened */

const SOUND = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
const PICTURE = { width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 24 }, facingMode: "user" };

/** @type {Record<string, Problem>} */
const PROBLEMS = {
  NotAllowedError: "refused",
  SecurityError: "refused",
  NotFoundError: "missing",
  OverconstrainedError: "missing",
  NotReadableError: "in-use",
  AbortError: "in-use",
};

/**
 * Open devices, asking the person once where the browser can; one failing does not keep the other away.
 * @param {Kind[]} kinds
 * @param {Partial<Record<Kind, string>>} [chosen] device ids; a device that is gone is replaced by the usual one
 * @returns {Promise<Opened>}
 */
export async function openDevices(kinds, chosen = {}) {
  if (!navigator.mediaDevices?.getUserMedia) return failed(kinds, "insecure");
  try {
    const stream = await navigator.mediaDevices.getUserMedia({
      audio: kinds.includes("microphone") && { ...SOUND, ...exactly(chosen.microphone) },
      video: kinds.includes("camera") && { ...PICTURE, ...exactly(chosen.camera) },
    });
    return { tracks: { microphone: stream.getAudioTracks()[0], camera: stream.getVideoTracks()[0] }, problems: {} };
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
 * After both together failed. Who has just refused is not asked again.
 * @param {Kind} kind
 * @param {Problem} problem
 * @param {Partial<Record<Kind, string>>} chosen
 */
async function openAlone(kind, problem, chosen) {
  if (problem === "refused" && (await permission(kind))?.state !== "granted") return failed([kind], problem);
  return openDevices([kind], chosen);
}

/**
 * @param {Kind[]} kinds
 * @param {Problem} problem
 * @returns {Opened}
 */
function failed(kinds, problem) {
  return { tracks: {}, problems: Object.fromEntries(kinds.map((kind) => [kind, problem])) };
}

/** @param {string | undefined} deviceId */
function exactly(deviceId) {
  return deviceId ? { deviceId: { exact: deviceId } } : {};
}

/**
 * The browser's record of what was allowed; null where it keeps none that pages may read.
 * @param {Kind} kind
 * @returns {Promise<PermissionStatus | null>}
 */
export async function permission(kind) {
  try {
    return await navigator.permissions.query({ name: /** @type {PermissionName} */ (kind) });
  } catch {
    return null;
  }
}

/**
 * Devices that can be chosen; browsers name them only after one was allowed.
 * @returns {Promise<{microphone: MediaDeviceInfo[], camera: MediaDeviceInfo[], speaker: MediaDeviceInfo[]}>}
 */
export async function listDevices() {
  const all = (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
  const named = all.filter((device) => device.deviceId && device.label);
  return {
    microphone: named.filter((device) => device.kind === "audioinput"),
    camera: named.filter((device) => device.kind === "videoinput"),
    speaker: "setSinkId" in HTMLMediaElement.prototype ? named.filter((device) => device.kind === "audiooutput") : [],
  };
}
