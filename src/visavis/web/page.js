// @ts-check
/** The call page: lobby, call, and what comes after. */

import { Call, CallError, lookUp } from "./call.js";
import * as devices from "./devices.js";
import { strings } from "./strings.js";

/** @template {HTMLElement} T @param {string} id @returns {T} */
const element = (id) => /** @type {any} */ (document.getElementById(id));

const id = location.pathname.split("/").pop() ?? "";
const embedded = new URLSearchParams(location.search).has("embed");

/** What the page knows. Only this file changes it. */
const page = {
  name: "",
  /** @type {RTCIceServer[]} */ iceServers: [],
  /** @type {MediaStreamTrack | null} */ microphone: null,
  /** @type {MediaStreamTrack | null} */ camera: null,
  /** @type {Call | null} */ call: null,
  /** @type {() => void} */ stopMeter: () => {},
  /** @type {{role: string, speech: string, interrupted: boolean, at: Date}[]} */ transcript: [],
  /** @type {number[]} */ latencies: [],
  state: "connecting",
};

// ---- which view is shown

/** @param {"lobby" | "call" | "message-view"} view */
function show(view) {
  for (const one of ["lobby", "call", "message-view"]) element(one).hidden = one !== view;
  document.body.dataset.view = view;
}

/**
 * The page that says why there is no call. @param {string} title @param {string} text
 * @param {{again?: string, transcript?: boolean}} [options]
 */
function showMessage(title, text, { again, transcript } = {}) {
  stopDevices();
  element("message-title").textContent = title;
  element("message-text").textContent = text;
  const button = element("again");
  button.hidden = !again;
  button.textContent = again ?? "";
  const list = element("transcript");
  list.hidden = element("download").hidden = !(transcript && page.transcript.length);
  if (!list.hidden) {
    list.replaceChildren(
      ...page.transcript.map(({ role, speech, interrupted }) => {
        const line = document.createElement("li");
        const who = document.createElement("b");
        who.textContent = role === "user" ? strings.you : page.name;
        line.append(who, ` ${speech}${interrupted ? ` ${strings.interrupted}` : ""}`);
        line.className = role;
        return line;
      }),
    );
    offerDownload();
  }
  show("message-view");
  element("message-title").focus();
}

function offerDownload() {
  const lines = page.transcript.map(({ role, speech, interrupted, at }) => {
    const who = role === "user" ? strings.you : page.name;
    return `[${at.toLocaleTimeString()}] ${who}: ${speech}${interrupted ? ` ${strings.interrupted}` : ""}`;
  });
  const link = /** @type {HTMLAnchorElement} */ (element("download"));
  link.href = URL.createObjectURL(new Blob([lines.join("\n") + "\n"], { type: "text/plain" }));
  link.download = `${id}.txt`;
  link.textContent = strings.download;
}

/** @param {unknown} error */
function showFailure(error) {
  const status = error instanceof CallError ? error.status : -1;
  if (status === 404) showMessage(strings.unknownTitle, strings.unknownText);
  else if (status === 410) showMessage(strings.endedLinkTitle, strings.endedLinkText);
  else if (status === 409) showMessage(strings.takenTitle, strings.takenText, { again: strings.again });
  else if (status === 503) showMessage(strings.busyTitle, strings.busyText, { again: strings.again });
  else if (status === 0) showMessage(strings.lostTitle, strings.lostText, { again: strings.again });
  else showMessage(strings.failedTitle, error instanceof Error ? error.message : "", { again: strings.again });
}

// ---- lobby

async function enterLobby() {
  let conversation;
  try {
    conversation = await lookUp(id);
  } catch (error) {
    showFailure(error);
    return;
  }
  if (conversation.status === "ended") {
    showMessage(strings.endedLinkTitle, strings.endedLinkText);
    return;
  }
  page.name = conversation.persona?.persona_name ?? conversation.replica?.replica_name ?? "";
  page.iceServers = conversation.ice_servers ?? [];
  document.title = strings.title(page.name);
  element("lobby-title").textContent = strings.title(page.name);
  element("disclosure").textContent = strings.disclosure(page.name);
  element("replica-name").textContent = page.name;
  show("lobby");
  await openMicrophone();
  await openCamera();
}

/** @param {string} [deviceId] */
async function openMicrophone(deviceId) {
  page.microphone?.stop();
  page.stopMeter();
  const { track, problem } = await devices.open("audio", deviceId);
  page.microphone = track;
  if (track) {
    track.enabled = element("mute").ariaPressed !== "true";
    page.stopMeter = devices.meter(track, (level) => (/** @type {HTMLMeterElement} */ (element("level")).value = level));
  }
  const texts = {
    refused: strings.microphoneRefused,
    missing: strings.microphoneMissing,
    busy: strings.microphoneBusy,
    insecure: strings.insecure,
  };
  const text = problem ? texts[problem] : "";
  for (const place of ["device-problem", "notice"]) {
    element(place).textContent = text;
    element(place).hidden = !text;
  }
  element("mute").hidden = !track;
  if (page.call) await page.call.useMicrophone(track);
  await fillDevices();
}

/** @param {string} [deviceId] */
async function openCamera(deviceId) {
  page.camera?.stop();
  const { track } = deviceId === "none" ? { track: null } : await devices.open("video", deviceId);
  page.camera = track;
  showOwnCamera();
  await fillDevices();
}

function showOwnCamera() {
  const on = page.camera?.enabled ?? false;
  for (const place of ["preview", "self-video"]) {
    const video = /** @type {HTMLVideoElement} */ (element(place));
    video.srcObject = page.camera && on ? new MediaStream([page.camera]) : null;
  }
  element("preview-note").textContent = on ? "" : page.camera ? strings.cameraOffNote : strings.noCamera;
  element("self").hidden = !on;
  element("camera-off").hidden = !page.camera;
}

async function fillDevices() {
  const kinds = /** @type {const} */ ([
    ["microphone", "audioinput", strings.microphone, strings.noMicrophone, page.microphone],
    ["camera", "videoinput", strings.camera, strings.noCamera, page.camera],
    ["speaker", "audiooutput", strings.speaker, "", null],
  ]);
  for (const [place, kind, label, none, track] of kinds) {
    const select = /** @type {HTMLSelectElement} */ (element(place));
    const found = await devices.list(kind);
    const options = found.map((one, n) => new Option(one.label || strings.unnamedDevice(label, n + 1), one.deviceId));
    if (place === "camera" || !found.length) options.push(new Option(none, "none"));
    select.replaceChildren(...options);
    const current = track?.getSettings().deviceId;
    if (current && found.some((one) => one.deviceId === current)) select.value = current;
    else if (place !== "speaker") select.value = track ? select.value : "none";
    select.disabled = !found.length;
  }
  element("speaker-row").hidden =
    !("setSinkId" in HTMLMediaElement.prototype) || element("speaker").children.length < 2;
}

function stopDevices() {
  page.stopMeter();
  page.microphone?.stop();
  page.camera?.stop();
  page.microphone = page.camera = null;
}

// ---- call

async function join() {
  const button = /** @type {HTMLButtonElement} */ (element("join"));
  button.disabled = true;
  button.textContent = strings.joining;
  page.transcript = [];
  page.latencies = [];
  const call = new Call(id, page.iceServers, page.microphone);
  page.call = call;
  call.addEventListener("track", (event) => play(/** @type {CustomEvent} */ (event).detail.stream));
  call.addEventListener("message", (event) => receive(/** @type {CustomEvent} */ (event).detail));
  call.addEventListener("state", (event) => {
    const { state } = /** @type {CustomEvent} */ (event).detail;
    setState(state === "connected" ? "idle" : state);
  });
  call.addEventListener("closed", (event) => after(/** @type {CustomEvent} */ (event).detail));
  setState("connecting");
  show("call");
  try {
    await call.connect();
  } catch (error) {
    call.over = true;
    call.connection?.close();
    page.call = null;
    showFailure(error);
  } finally {
    button.disabled = false;
    button.textContent = strings.join;
  }
  if (!page.microphone) toggleTyping(true);
}

/** @param {MediaStream} stream */
async function play(stream) {
  const video = /** @type {HTMLVideoElement} */ (element("replica"));
  if (video.srcObject !== stream) video.srcObject = stream;
  try {
    await video.play();
  } catch (error) {
    // A second track interrupts the first play; only a refusal needs the person.
    if (error instanceof DOMException && error.name === "NotAllowedError") element("unmute").hidden = false;
  }
}

/** @param {any} message */
function receive(message) {
  const { properties = {} } = message;
  switch (message.event_type) {
    case "conversation.user.started_speaking":
      setState("listening");
      caption("replica", "");
      break;
    case "conversation.user.stopped_speaking":
      setState("idle");
      break;
    case "conversation.replica.started_speaking":
      setState("speaking");
      break;
    case "conversation.replica.stopped_speaking":
      if (page.state === "speaking") setState("idle");
      break;
    case "conversation.utterance.streaming":
      caption(properties.role, properties.speech, properties.is_interrupted);
      break;
    case "conversation.utterance":
      if (properties.role === "user") setState("thinking");
      page.transcript.push({ ...properties, interrupted: properties.interrupted ?? false, at: new Date() });
      break;
    case "conversation.latency":
      showLatency(properties);
      break;
    case "conversation.error":
    case "system.error":
      notice(properties.message ?? message.message);
      break;
  }
}

/** @param {string} role @param {string} text @param {boolean} [cut] */
function caption(role, text, cut) {
  const line = element(role === "user" ? "caption-person" : "caption-replica");
  if (role === "user" && text) element("caption-replica").textContent = "";
  line.textContent = cut ? `${text} —` : text;
}

let noticeTimer = 0;
/** @param {string} text */
function notice(text) {
  const place = element("notice");
  place.textContent = text ?? "";
  place.hidden = !text;
  clearTimeout(noticeTimer);
  noticeTimer = setTimeout(() => (place.hidden = true), 8000);
}

/** @param {string} state */
function setState(state) {
  page.state = state;
  document.body.dataset.state = state;
  const text = strings.states[/** @type {keyof typeof strings.states} */ (state)] ?? "";
  element("state").textContent = text;
  element("veil").textContent = state === "connecting" || state === "reconnecting" ? text : "";
}

/** @param {{utterance_to_utterance_ms: number | null, stages: Record<string, number>}} latency */
function showLatency({ utterance_to_utterance_ms: total, stages }) {
  if (total === null) return;
  page.latencies.push(total);
  const sorted = [...page.latencies].sort((a, b) => a - b);
  const median = sorted[Math.floor((sorted.length - 1) / 2)];
  const button = element("latency");
  button.textContent = strings.latency(Math.round(total), Math.round(median));
  button.hidden = false;
  const longest = Math.max(...Object.values(stages), 1);
  element("waterfall").replaceChildren(
    ...Object.entries(stages)
      .sort(([, a], [, b]) => a - b)
      .map(([stage, ms]) => {
        const row = document.createElement("div");
        const name = document.createElement("span");
        name.textContent = strings.stages[/** @type {keyof typeof strings.stages} */ (stage)] ?? stage;
        const bar = document.createElement("progress");
        bar.max = longest;
        bar.value = ms;
        const number = document.createElement("span");
        number.textContent = `${Math.round(ms)} ms`;
        row.append(name, bar, number);
        return row;
      }),
  );
}

/** @param {{reason: string, detail?: string}} closed */
function after({ reason, detail }) {
  page.call = null;
  /** @type {HTMLVideoElement} */ (element("replica")).srcObject = null;
  if (reason === "lost") showMessage(strings.lostTitle, strings.lostText, { again: strings.again, transcript: true });
  else if (reason === "left")
    showMessage(strings.leftTitle, page.transcript.length ? strings.leftText : strings.leftSilent, { transcript: true });
  else showMessage(strings.endedTitle, strings.reasons[detail ?? ""] ?? strings.endedText, { transcript: true });
}

// ---- controls

function toggleMute() {
  if (!page.microphone) return;
  const muted = page.microphone.enabled;
  page.microphone.enabled = !muted;
  press("mute", muted, muted ? strings.unmute : strings.mute);
}

function toggleCamera() {
  if (!page.camera) return;
  page.camera.enabled = !page.camera.enabled;
  press("camera-off", !page.camera.enabled, page.camera.enabled ? strings.cameraOff : strings.cameraOn);
  showOwnCamera();
}

function toggleCaptions() {
  const shown = element("captions").hidden;
  element("captions").hidden = !shown;
  press("captions-toggle", shown, strings.captions);
}

/** @param {boolean} [open] */
function toggleTyping(open = element("typing").hidden) {
  element("typing").hidden = !open;
  press("type", open, strings.type);
  if (open) element("message").focus();
}

/** @param {string} button @param {boolean} pressed @param {string} text */
function press(button, pressed, text) {
  element(button).setAttribute("aria-pressed", String(pressed));
  element(button).setAttribute("aria-label", text);
  element(button).title = text;
}

/** @param {KeyboardEvent} event */
function onKey(event) {
  if (document.body.dataset.view !== "call" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") {
    toggleTyping(false);
    element("waterfall").hidden = true;
    return;
  }
  if (event.target instanceof HTMLInputElement) return;
  const actions = /** @type {Record<string, () => void>} */ ({
    m: toggleMute,
    v: toggleCamera,
    c: toggleCaptions,
    t: () => toggleTyping(true),
  });
  const action = actions[event.key.toLowerCase()];
  if (action) {
    event.preventDefault();
    action();
  }
}

function start() {
  document.body.classList.toggle("embedded", embedded);
  for (const place of /** @type {const} */ (["microphone", "camera", "speaker"])) {
    element(`${place}-label`).textContent = strings[place];
  }
  element("join").textContent = strings.join;
  element("level").setAttribute("aria-label", strings.level);
  element("self").setAttribute("aria-label", strings.ownCamera);
  element("latency").title = strings.latencyLabel;
  element("unmute").textContent = strings.tapToHear;
  element("send").textContent = strings.send;
  element("message").setAttribute("aria-label", strings.messageLabel);
  element("message").setAttribute("placeholder", strings.messageHint);
  document.querySelector(".controls")?.setAttribute("aria-label", strings.controls);
  press("mute", false, strings.mute);
  press("camera-off", false, strings.cameraOff);
  press("captions-toggle", true, strings.captions);
  press("type", false, strings.type);
  element("leave").setAttribute("aria-label", strings.leave);
  element("leave").title = strings.leave;

  element("join").addEventListener("click", join);
  element("again").addEventListener("click", () => location.reload());
  element("mute").addEventListener("click", toggleMute);
  element("camera-off").addEventListener("click", toggleCamera);
  element("captions-toggle").addEventListener("click", toggleCaptions);
  element("type").addEventListener("click", () => toggleTyping());
  element("leave").addEventListener("click", () => page.call?.leave());
  element("unmute").addEventListener("click", () => {
    element("unmute").hidden = true;
    void (/** @type {HTMLVideoElement} */ (element("replica")).play());
  });
  element("latency").addEventListener("click", () => {
    const box = element("waterfall");
    box.hidden = !box.hidden;
    element("latency").setAttribute("aria-expanded", String(!box.hidden));
  });
  element("self").addEventListener("click", () => {
    element("self").dataset.corner = String((Number(element("self").dataset.corner) + 1) % 4);
  });
  element("typing").addEventListener("submit", (event) => {
    event.preventDefault();
    const input = /** @type {HTMLInputElement} */ (element("message"));
    const text = input.value.trim();
    if (text && page.call?.send("conversation.respond", { text })) input.value = "";
  });
  for (const place of ["microphone", "camera", "speaker"]) {
    element(place).addEventListener("change", ({ target }) => {
      const { value } = /** @type {HTMLSelectElement} */ (target);
      if (place === "microphone") void openMicrophone(value);
      else if (place === "camera") void openCamera(value);
      else void (/** @type {any} */ (element("replica")).setSinkId(value));
    });
  }
  navigator.mediaDevices?.addEventListener?.("devicechange", () => void fillDevices());
  addEventListener("keydown", onKey);
  addEventListener("pagehide", () => page.call?.leave());
  void enterLobby();
}

start();
